// The saved views of a page, read once their menu is open, and again after each change.
import { useState } from "preact/hooks";
import { useLoaded } from "../lib/load";
import { listViews } from "../lib/views";
import { toast, toastError } from "./basics";

export function useSavedViews(project: string, page: string) {
  const [round, setRound] = useState(-1);
  const views = useLoaded(round < 0 ? null : `${project} ${page} ${round}`, () => listViews(project, page));
  return {
    views,
    /** For the element that is there while the menu is open. */
    whileOpen: (element: Element | null) => void (element && round < 0 && setRound(0)),
    /** Says what became of a change. */
    run: async (change: Promise<unknown>, done: string) => {
      try {
        await change;
        toast(done);
      } catch (error) {
        toastError("Nothing was changed", error);
      }
      setRound((n) => n + 1);
    },
  };
}
