// Changes to rows, through the API that every client has.
import { ApiError, call } from "./api";
import { counted } from "./format";

interface Results {
  results: { id: string; error: string }[];
  rejected: number;
}

export interface RowChange {
  id: string;
  expected?: unknown;
  tags?: string[];
  metadata?: Record<string, unknown>;
  scores?: Record<string, number | null>;
}

export interface Feedback {
  id: string;
  scores?: Record<string, number | null>;
  comment?: string;
  tags?: string[];
}

/** Merges changes into rows; what a change does not name stays. */
export async function change(project: string, rows: RowChange[]): Promise<void> {
  check(await call<Results>("POST", "/v1/rows/merge", { project, rows }));
}

/** Says what a person thinks of rows. */
export async function giveFeedback(project: string, items: Feedback[]): Promise<void> {
  check(await call<Results>("POST", "/v1/feedback", { project, items: items.map((item) => ({ ...item, source: "app" })) }));
}

export async function addTag(project: string, ids: string[], tag: string): Promise<void> {
  await giveFeedback(project, ids.map((id) => ({ id, tags: [tag] })));
}

function check({ results, rejected }: Results): void {
  const failed = results.find((result) => result.error);
  if (failed) throw new ApiError(`refused ${rejected} of ${counted(results.length, "row")}: ${failed.error}`, 400);
}
