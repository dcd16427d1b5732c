// The pages of a project, in the order of the navigation. The first comes with the shell, the others when first opened.
import type { ComponentType } from "preact";
import type { IconName } from "../ui/icons";
import Logs from "./logs";

export interface Page {
  /** First part of its address below the project. */
  id: string;
  title: string;
  icon: IconName;
  /** Second key of its shortcut; the first is `g`. */
  key: string;
  load: () => Promise<{ default: ComponentType }>;
}

export const PAGES: Page[] = [
  { id: "logs", title: "Logs", icon: "logs", key: "l", load: async () => ({ default: Logs }) },
  { id: "monitor", title: "Monitor", icon: "monitor", key: "m", load: () => import("./monitor") },
  { id: "datasets", title: "Datasets", icon: "datasets", key: "d", load: () => import("./datasets") },
  { id: "experiments", title: "Experiments", icon: "experiments", key: "e", load: () => import("./experiments") },
  { id: "playground", title: "Playground", icon: "playground", key: "p", load: () => import("./playground") },
  { id: "rules", title: "Rules", icon: "rules", key: "r", load: () => import("./rules") },
  { id: "review", title: "Review", icon: "review", key: "v", load: () => import("./review") },
  { id: "sql", title: "SQL", icon: "sql", key: "s", load: () => import("./sql") },
];
