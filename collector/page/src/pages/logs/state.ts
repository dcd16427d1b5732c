// What the logs page shows, as its address says it.
import { type Range, readRange } from "../../lib/range";
import { place } from "../../lib/router";

export type Shape = "traces" | "spans";

export interface LogsState {
  project: string;
  shape: Shape;
  rangeText: string | null;
  range: Range;
  /** Conditions in SQL, all of which must hold. */
  filters: string[];
  /** Words to find in input and output. */
  search: string;
  /** Columns by id; empty for the usual ones. */
  columns: string[];
  /** Columns that stay in sight when the others scroll. */
  pinned: string[];
  groupBy: string;
  isLive: boolean;
  traceId: string;
  spanId: string;
}

export function readState(): LogsState {
  const { query, project } = place.value;
  const rangeText = query.get("t");
  return {
    project,
    shape: query.get("v") === "spans" ? "spans" : "traces",
    rangeText,
    range: readRange(rangeText),
    filters: query.getAll("f"),
    search: query.get("q") ?? "",
    columns: query.getAll("c"),
    pinned: query.getAll("p"),
    groupBy: query.get("g") ?? "",
    isLive: query.get("live") === "1",
    traceId: query.get("r") ?? "",
    spanId: query.get("s") ?? "",
  };
}

/** What decides which rows are listed; the open trace and the columns do not. */
export function questionOf(state: LogsState): string {
  const { project, shape, rangeText, filters, search } = state;
  return JSON.stringify([project, shape, rangeText, filters, search]);
}
