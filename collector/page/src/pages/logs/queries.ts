// The statements behind the list, the histogram, the facets and the groups.
import { parseTime } from "../../lib/format";
import { bucketMs, type Range } from "../../lib/range";
import { ask, askRows, text, time } from "../../lib/sql";
import type { Bucket } from "../../ui/histogram";
import type { LogColumn } from "./columns";
import { TRACE_COLUMNS } from "./columns";
import type { LogsState } from "./state";

export const PAGE_ROWS = 100;
const BUCKETS = 90;
const DAY_MS = 86_400_000;
/** The list looks at the newest one of so many parts of the range first: asking twice takes longer than a larger part. */
const PARTS = 32;

export interface LogRow {
  span_id: string;
  trace_id: string;
  id: string;
  created: string;
  type: string;
  error: string;
  isRunning: boolean;
  /** In a list of traces: true when the trace has no root here, and its earliest span stands in. */
  isRootless: boolean;
  values: unknown[];
}

/** The conditions on a row, without those on its time. */
export function conditions(state: LogsState): string[] {
  return [...state.filters.map((filter) => `(${filter})`), ...searchConditions(state.search)];
}

/** What the person asked for, as a filter of rules and other pages takes it. */
export function asOneCondition(state: LogsState): string {
  const all = conditions(state);
  return all.length === 1 && state.filters.length === 1 ? state.filters[0]! : all.join(" AND ");
}

function searchConditions(search: string): string[] {
  const words = search.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  if (/^[0-9a-f]{32}$/i.test(search.trim())) return [`trace_id = ${text(search.trim().toLowerCase())}`];
  if (/^[0-9a-f]{16}$/i.test(search.trim())) return [`span_id = ${text(search.trim().toLowerCase())}`];
  return words.map((word) => `(hasToken(lower(input), ${text(word)}) OR hasToken(lower(output), ${text(word)}))`);
}

export function within(state: LogsState, range: Range): string {
  return `project = ${text(state.project)} AND created >= ${time(range.from)} AND created < ${time(range.to)}`;
}

/** Chooses rows of the list: of traces, the roots of those that have a span that matches. */
export function chooses(state: LogsState, range = state.range): string {
  if (state.shape === "spans") return all(within(state, range), ...conditions(state));
  return all(within(state, range), "is_root", ...ofMatchingTraces(state, range));
}

/** Chooses every row of the list at once. */
function choosesListed(state: LogsState): string {
  return state.shape === "spans" ? chooses(state) : `(${chooses(state)})\nOR (${choosesStandIns(state, state.range)})`;
}

function all(...parts: string[]): string {
  return parts.join("\n  AND ");
}

function ofMatchingTraces(state: LogsState, range: Range): string[] {
  const found = conditions(state);
  // What matches may have begun long after its root.
  const ofTraces = within(state, { ...range, to: state.range.to });
  return found.length ? [`trace_id IN (SELECT trace_id FROM logs WHERE ${all(ofTraces, ...found)})`] : [];
}

/** Chooses the earliest spans of traces whose root was sent elsewhere, or not yet. */
function choosesStandIns(state: LogsState, range: Range): string {
  const here = within(state, range);
  const candidates = `SELECT trace_id FROM logs WHERE ${all(here, `trace_id NOT IN (SELECT trace_id FROM logs WHERE ${here} AND is_root)`, ...ofMatchingTraces(state, range))}`;
  // A root begins before its spans, as a rule not by more than a day.
  const around = within(state, { ...range, from: range.from - DAY_MS, to: range.to + DAY_MS });
  const earliest = `SELECT argMin(span_id, (created, span_id)) FROM logs WHERE ${around} AND trace_id IN (${candidates}) GROUP BY trace_id HAVING NOT max(is_root)`;
  return all(here, `span_id IN (${earliest})`);
}

export async function loadHistogram(state: LogsState, signal: AbortSignal): Promise<{ width: number; buckets: Bucket[] }> {
  const width = bucketMs(state.range, BUCKETS);
  const source = state.shape === "spans" ? `(SELECT created AS began, error != '' AS has_failed FROM logs WHERE ${chooses(state)})` : `(${firstSpans(state)})`;
  const sql = `SELECT intDiv(toUnixTimestamp64Milli(began), ${width}) AS at, count() AS n, countIf(has_failed) AS e FROM ${source} GROUP BY at ORDER BY at`;
  const { rows } = await ask(sql, { signal });
  return { width, buckets: (rows as number[][]).map(([at, count, errors]) => ({ at: at! * width, count: count!, errors: errors! })) };
}

/** Of each trace its root, or its earliest span: when it began, and its error. */
function firstSpans(state: LogsState): string {
  const chosen = all(within(state, state.range), ...ofMatchingTraces(state, state.range));
  // Of functions that can take a root's value over others', these cost a fifth of argMin.
  const began = "if(max(is_root), maxIf(created, is_root), min(created)) AS began";
  const hasFailed = "if(max(is_root), max(is_root AND error != ''), max(error != '')) AS has_failed";
  return `SELECT ${began}, ${hasFailed} FROM logs WHERE ${chosen} GROUP BY trace_id`;
}

export interface Cursor {
  /** Rows before this one in the list's order come next. */
  created: string;
  spanId: string;
}

export interface Page {
  /** Newest first. */
  rows: LogRow[];
  isComplete: boolean;
}

/** The next rows from the newest down. Of traces, `onRoots` gets those that have a root at once: the others take longer. */
export async function loadPage(state: LogsState, columns: LogColumn[], cursor: Cursor | null, signal: AbortSignal, onRoots: (page: Page) => void): Promise<Page> {
  const found = await loadNewest((range) => chooses(state, range), state.range, PARTS, columns, cursor, signal);
  if (state.shape === "spans") return found;
  if (found.rows.length) onRoots(found);
  const edge = found.isComplete ? state.range.from : parseTime(found.rows.at(-1)!.created);
  // Where there are roots, few traces lack theirs: a part of the range would not give a page of them.
  const parts = found.rows.length ? 1 : PARTS;
  const rootless = await loadNewest((range) => choosesStandIns(state, range), { ...state.range, from: edge }, parts, columns, cursor, signal);
  const standIns = rootless.rows.map((row) => ({ ...row, isRootless: true }));
  const rows = [...found.rows, ...standIns].sort(newestFirst);
  return rootless.isComplete ? { rows, isComplete: found.isComplete } : { rows: rows.slice(0, rows.indexOf(standIns.at(-1)!) + 1), isComplete: false };
}

/** Looks at the newest of so many parts of the range first: most often that is enough. */
async function loadNewest(choice: (range: Range) => string, whole: Range, parts: number, columns: LogColumn[], cursor: Cursor | null, signal: AbortSignal): Promise<Page> {
  const { from, to } = whole;
  const end = cursor ? parseTime(cursor.created) + 1 : to;
  let part = Math.max(60_000, (end - from) / parts);
  for (;;) {
    const start = Math.max(from, end - part);
    const rows = await loadPart(choice({ ...whole, from: start, to: end }), columns, cursor, signal);
    if (rows.length >= PAGE_ROWS || start <= from) return { rows, isComplete: rows.length < PAGE_ROWS };
    part *= rows.length > PAGE_ROWS / 4 ? 4 : PARTS;
  }
}

function newestFirst(a: LogRow, b: LogRow): number {
  const [one, other] = [a.created + a.span_id, b.created + b.span_id];
  return one < other ? 1 : one > other ? -1 : 0;
}

async function loadPart(choice: string, columns: LogColumn[], cursor: Cursor | null, signal: AbortSignal): Promise<LogRow[]> {
  const after = cursor ? ` AND (created, span_id) < (${text(cursor.created)}, ${text(cursor.spanId)})` : "";
  const chosen = choice + after;
  // Times first: values of rows that are not shown are never read.
  const edge = `(SELECT min(created) FROM (SELECT created FROM logs WHERE ${chosen} ORDER BY created DESC LIMIT ${PAGE_ROWS}))`;
  const selected = columns.map((column) => (column.sql ? column.sql : "''"));
  const fixed = ["span_id", "trace_id", "id", "toString(created)", "type", "substringUTF8(error, 1, 300)", "NOT mapContains(metrics, 'end')"];
  const sql = `SELECT ${[...fixed, ...selected].join(", ")} FROM logs WHERE ${chosen} AND created >= ${edge} ORDER BY created DESC, span_id DESC LIMIT ${PAGE_ROWS}`;
  const { rows } = await ask(sql, { signal });
  return rows.map(readRow);
}

function readRow([spanId, traceId, id, created, type, error, isRunning, ...values]: unknown[]): LogRow {
  return { span_id: String(spanId), trace_id: String(traceId), id: String(id), created: String(created), type: String(type), error: String(error), isRunning: Boolean(isRunning), isRootless: false, values };
}

export interface TraceTotals {
  spans: number;
  errors: number;
  tokens: number;
  cost: number;
}

/** What the spans of these traces add up to, by trace. */
export async function loadTotals(state: LogsState, rows: LogRow[], signal: AbortSignal): Promise<Map<string, TraceTotals>> {
  const times = rows.map((row) => parseTime(row.created));
  const range: Range = { ...state.range, from: Math.min(...times) - 1000, to: Math.max(...times) + DAY_MS };
  const ids = rows.map((row) => text(row.trace_id)).join(", ");
  const sums = "count() AS spans, countIf(error != '') AS errors, sumIf(tokens, type = 'llm') AS tokens, sumIf(cost, type = 'llm') AS cost";
  const sql = `SELECT trace_id, ${sums} FROM logs WHERE ${within(state, range)} AND trace_id IN (${ids}) GROUP BY trace_id`;
  const found = await askRows<TraceTotals & { trace_id: string }>(sql, { signal });
  return new Map(found.map((row) => [row.trace_id, row]));
}

export function needsTotals(state: LogsState, columns: LogColumn[]): boolean {
  return state.shape === "traces" && columns.some((column) => TRACE_COLUMNS.has(column.id));
}

export interface FacetValue {
  value: string;
  count: number;
}

export async function loadFacet(state: LogsState, expression: string, isList: boolean, signal: AbortSignal): Promise<FacetValue[]> {
  const value = isList ? `arrayJoin(${expression})` : `toString(${expression})`;
  const rows = all(within(state, state.range), ...conditions(state));
  const sql = `SELECT ${value} AS value, count() AS count FROM logs WHERE ${rows} GROUP BY value HAVING value != '' ORDER BY count DESC, value LIMIT 12`;
  return askRows<FacetValue>(sql, { signal });
}

export interface Group {
  value: string;
  count: number;
  errors: number;
  p50: number;
  p95: number;
  tokens: number;
  cost: number;
}

export async function loadGroups(state: LogsState, signal: AbortSignal): Promise<Group[]> {
  const sql = `SELECT toString(${state.groupBy}) AS value, count() AS count, countIf(error != '') AS errors, quantile(0.5)(duration) AS p50,
    quantile(0.95)(duration) AS p95, sum(tokens) AS tokens, sum(cost) AS cost
    FROM logs WHERE ${choosesListed(state)} GROUP BY value ORDER BY count DESC, value LIMIT 1000`;
  return askRows<Group>(sql, { signal });
}

export async function newestRow(project: string, signal: AbortSignal): Promise<number | null> {
  const [found] = await askRows<{ newest: string; n: number }>(`SELECT toString(max(created)) AS newest, count() AS n FROM logs WHERE project = ${text(project)}`, { signal });
  return found && found.n > 0 ? parseTime(found.newest) : null;
}

/** The statement whose result is what is listed, for export and for the SQL page. */
export function exportSql(state: LogsState, ids: string[] | null): string {
  const chosen = ids ? all(within(state, state.range), `span_id IN (${ids.map(text).join(", ")})`) : choosesListed(state);
  return `SELECT * FROM logs\nWHERE ${chosen}\nORDER BY created DESC, span_id DESC`;
}
