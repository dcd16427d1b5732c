// The numbers behind the monitor's charts.
import { bucketMs, type Range } from "../../lib/range";
import { askRows, text, time } from "../../lib/sql";

export type Subject = "traces" | "llm" | "spans";

export interface MonitorState {
  project: string;
  rangeText: string | null;
  range: Range;
  subject: Subject;
  /** An expression to split the lines by; empty for one line. */
  groupBy: string;
  filters: string[];
}

export interface Point {
  at: number;
  group: string;
  count: number;
  errors: number;
  p50: number;
  p95: number;
  p99: number;
  prompt: number;
  completion: number;
  cost: number;
  first_token: number | null;
}

export interface ScorePoint {
  at: number;
  name: string;
  group: string;
  n: number;
  mean: number;
  spread: number | null;
}

export const BY_PROJECT = "project";
/** A row with several tags counts for each of them. */
export const BY_TAG = "arrayJoin(if(empty(tags), [''], tags))";
/** What the groups beyond the most frequent are called together. */
export const OTHERS = "(others)";
const BUCKETS = 60;
const MAX_GROUPS = 6;

// Traces are counted by their roots; what they cost stands on the calls inside of them.
const ROWS: Record<Subject, string> = { traces: "(is_root OR type = 'llm')", llm: "type = 'llm'", spans: "1" };
const COUNTED: Record<Subject, string> = { traces: "is_root", llm: "1", spans: "1" };
const PAID: Record<Subject, string> = { traces: "type = 'llm'", llm: "1", spans: "type = 'llm'" };

export function conditionsOf(state: MonitorState, subject: string = ROWS[state.subject]): string {
  // Split by project, the charts show all that this person may see.
  const own = state.groupBy === BY_PROJECT ? "" : `project = ${text(state.project)} AND `;
  const base = `${own}created >= ${time(state.range.from)} AND created < ${time(state.range.to)}`;
  return [base, subject, ...state.filters.map((filter) => `(${filter})`)].join(" AND ");
}

/** The condition that the rows list adds for this choice of rows. */
export function subjectFilter(subject: Subject): string {
  return subject === "spans" ? "" : subject === "llm" ? ROWS.llm : COUNTED.traces;
}

export function widthOf(state: MonitorState): number {
  return bucketMs(state.range, BUCKETS);
}

/** The measures that a point and the totals have in common. */
function measures({ subject }: MonitorState): string {
  const counted = COUNTED[subject];
  const paid = PAID[subject];
  return `countIf(${counted}) AS count, countIf(${counted} AND error != '') AS errors,
    quantilesIf(0.5, 0.95, 0.99)(duration, ${counted}) AS q, ifNotFinite(q[1], 0) AS p50, ifNotFinite(q[2], 0) AS p95, ifNotFinite(q[3], 0) AS p99,
    sumIf(metrics['prompt_tokens'], ${paid}) AS prompt, sumIf(metrics['completion_tokens'], ${paid}) AS completion, sumIf(cost, ${paid}) AS cost`;
}

export async function loadPoints(state: MonitorState, signal: AbortSignal): Promise<Point[]> {
  const width = widthOf(state);
  const sql = `SELECT intDiv(toUnixTimestamp64Milli(created), ${width}) * ${width} AS at, ${groupExpression(state, conditionsOf(state))} AS group, ${measures(state)},
    quantileIfOrNull(0.5)(metrics['time_to_first_token'], mapContains(metrics, 'time_to_first_token')) AS first_token
    FROM logs WHERE ${conditionsOf(state)} GROUP BY at, group ORDER BY at`;
  return askRows<Point>(sql, { signal });
}

/** The most frequent values of these rows by name, all others as one. */
function groupExpression(state: MonitorState, rows: string): string {
  if (!state.groupBy) return "''";
  const most = `(SELECT groupArray(value) FROM (SELECT toString(${state.groupBy}) AS value FROM logs WHERE ${rows} GROUP BY value ORDER BY count() DESC LIMIT ${MAX_GROUPS}))`;
  return `if(has(${most}, toString(${state.groupBy})), toString(${state.groupBy}), ${text(OTHERS)})`;
}

export async function loadScores(state: MonitorState, signal: AbortSignal): Promise<ScorePoint[]> {
  const width = widthOf(state);
  const scored = conditionsOf(state, "notEmpty(scores)");
  const rows = `SELECT created, ${groupExpression(state, scored)} AS group, arrayJoin(CAST(scores, 'Array(Tuple(String, Float64))')) AS entry FROM logs WHERE ${scored}`;
  const sql = `SELECT intDiv(toUnixTimestamp64Milli(created), ${width}) * ${width} AS at, entry.1 AS name, group, count() AS n, avg(entry.2) AS mean, stddevSampOrNull(entry.2) AS spread
    FROM (${rows}) GROUP BY at, name, group ORDER BY at`;
  return askRows<ScorePoint>(sql, { signal });
}

export interface Totals {
  count: number;
  errors: number;
  p50: number;
  p95: number;
  tokens: number;
  cost: number;
}

export async function loadTotals(state: MonitorState, signal: AbortSignal): Promise<Totals | undefined> {
  const sql = `SELECT ${measures(state)}, prompt + completion AS tokens FROM logs WHERE ${conditionsOf(state)}`;
  return (await askRows<Totals>(sql, { signal }))[0];
}
