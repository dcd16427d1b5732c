// Rows to datasets and to review, through the API.
import { call } from "./api";

export interface Dataset {
  id: string;
  name: string;
}

export async function listDatasets(project: string): Promise<Dataset[]> {
  return (await call<{ datasets: Dataset[] }>("GET", `/v1/datasets?${new URLSearchParams({ project })}`)).datasets;
}

export interface Promotion {
  project: string;
  source: "logs" | "traces" | "eval_rows" | "dataset_rows";
  where: string;
  dataset: string;
  fields?: Record<string, string>;
}

export interface PromotedRow {
  id: string;
  input?: unknown;
  expected?: unknown;
  metadata?: unknown;
  tags?: string[];
}

export interface Promoted {
  matched: number;
  inserted: number;
  updated: number;
  rejected: number;
  rows: PromotedRow[];
  errors: string[];
}

/** Copies rows into a dataset; `isTrial` only says what would happen. */
export function promote(promotion: Promotion, isTrial: boolean, signal?: AbortSignal): Promise<Promoted> {
  return call<Promoted>("POST", "/v1/promote", { ...promotion, dry_run: isTrial }, signal);
}
