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
  n: number;
  mean: number;
  spread: number | null;
}

const BUCKETS = 60;
const MAX_GROUPS = 6;

const SUBJECTS: Record<Subject, string> = { traces: "is_root", llm: "type = 'llm'", spans: "1" };

export function conditionsOf(state: MonitorState, subject: string = SUBJECTS[state.subject]): string {
  const base = `project = ${text(state.project)} AND created >= ${time(state.range.from)} AND created < ${time(state.range.to)}`;
  return [base, subject, ...state.filters.map((filter) => `(${filter})`)].join(" AND ");
}

/** The condition that the rows list adds for this choice of rows. */
export function subjectFilter(subject: Subject): string {
  return subject === "spans" ? "" : SUBJECTS[subject];
}

export function widthOf(state: MonitorState): number {
  return bucketMs(state.range, BUCKETS);
}

export async function loadPoints(state: MonitorState, signal: AbortSignal): Promise<Point[]> {
  const width = widthOf(state);
  const group = state.groupBy ? groupExpression(state) : "''";
  const sql = `SELECT intDiv(toUnixTimestamp64Milli(created), ${width}) * ${width} AS at, ${group} AS group, count() AS count, countIf(error != '') AS errors,
    quantiles(0.5, 0.95, 0.99)(duration) AS q, q[1] AS p50, q[2] AS p95, q[3] AS p99,
    sum(metrics['prompt_tokens']) AS prompt, sum(metrics['completion_tokens']) AS completion, sum(cost) AS cost,
    quantileIfOrNull(0.5)(metrics['time_to_first_token'], mapContains(metrics, 'time_to_first_token')) AS first_token
    FROM logs WHERE ${conditionsOf(state)} GROUP BY at, group ORDER BY at`;
  return askRows<Point>(sql, { signal });
}

/** The most frequent values by name, all others as one. */
function groupExpression(state: MonitorState): string {
  const most = `(SELECT groupArray(value) FROM (SELECT toString(${state.groupBy}) AS value FROM logs WHERE ${conditionsOf(state)} GROUP BY value ORDER BY count() DESC LIMIT ${MAX_GROUPS}))`;
  return `if(has(${most}, toString(${state.groupBy})), toString(${state.groupBy}), '(others)')`;
}

export async function loadScores(state: MonitorState, signal: AbortSignal): Promise<ScorePoint[]> {
  const width = widthOf(state);
  const rows = `SELECT created, arrayJoin(CAST(scores, 'Array(Tuple(String, Float64))')) AS entry FROM logs WHERE ${conditionsOf(state, "notEmpty(scores)")}`;
  const sql = `SELECT intDiv(toUnixTimestamp64Milli(created), ${width}) * ${width} AS at, entry.1 AS name, count() AS n, avg(entry.2) AS mean, stddevSampOrNull(entry.2) AS spread
    FROM (${rows}) GROUP BY at, name ORDER BY at`;
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
  const sql = `SELECT count() AS count, countIf(error != '') AS errors, quantile(0.5)(duration) AS p50, quantile(0.95)(duration) AS p95,
    sum(metrics['prompt_tokens']) + sum(metrics['completion_tokens']) AS tokens, sum(cost) AS cost FROM logs WHERE ${conditionsOf(state)}`;
  return (await askRows<Totals>(sql, { signal }))[0];
}
