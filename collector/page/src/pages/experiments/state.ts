// What a comparison shows, as its address says.
import { place, type QueryChanges, setQuery } from "../../lib/router";
import { type Aggregate, type CompareRequest } from "./api";

export type Layout = "list" | "grid" | "summary" | "table";

export const LAYOUTS: readonly (readonly [Layout, string])[] = [["list", "List"], ["grid", "Grid"], ["summary", "Summary"], ["table", "Table"]];

export interface CompareState {
  project: string;
  /** The one in the address, then those it stands beside. */
  names: string[];
  base: string;
  layout: Layout;
  where: string;
  groupBy: string;
  orderBy: string;
  aggregates: Aggregate[];
  columns: Record<string, string>;
  /** The case that is open. */
  openCase: string;
}

export function readState(): CompareState {
  const { project, rest, query } = place.value;
  const layout = query.get("layout") as Layout;
  return {
    project,
    names: [rest[0]!, ...query.getAll("with")],
    base: query.get("base") ?? "",
    layout: LAYOUTS.some(([name]) => name === layout) ? layout : "list",
    where: query.get("f") ?? "",
    groupBy: query.get("g") ?? "",
    orderBy: query.get("o") ?? "regressions",
    aggregates: query.getAll("a").map(readAggregate).filter((one) => one !== null),
    columns: Object.fromEntries(query.getAll("c").map((sql) => [sql, sql])),
    openCase: query.get("case") ?? "",
  };
}

/** `name: formula` in the address. */
function readAggregate(text: string): Aggregate | null {
  const at = text.indexOf(": ");
  return at > 0 ? { name: text.slice(0, at), formula: text.slice(at + 2) } : null;
}

export function questionOf(state: CompareState, limit: number): CompareRequest {
  const { project, names, base, where, groupBy, orderBy, aggregates, columns } = state;
  return { project, experiments: names, base, where, group_by: groupBy, order_by: orderBy, aggregates, columns, limit, offset: 0 };
}

export function change(changes: QueryChanges, replace = false): void {
  setQuery(changes, { replace });
}
