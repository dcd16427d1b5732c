// Reads a trace: a light row for each span at once, the heavy fields of one span when it is looked at.
import { call } from "../../lib/api";
import { ask, askRows, text } from "../../lib/sql";

export interface SpanLine {
  spanId: string;
  parentId: string;
  id: string;
  name: string;
  type: string;
  /** Milliseconds. */
  start: number;
  end: number;
  isRunning: boolean;
  error: string;
  tokens: number;
  cost: number;
  model: string;
  scores: Record<string, number>;
}

export const MAX_SPANS = 50_000;

/** Where spans are read: production's are `logs`, those of experiments `eval_rows`. */
export type Relation = "logs" | "eval_rows";

export async function loadSpans(project: string, traceId: string, relation: Relation, signal: AbortSignal): Promise<SpanLine[]> {
  const fields = "span_id, parent_id, id, name, type, toUnixTimestamp64Micro(created), toUnixTimestamp64Micro(end_time), NOT mapContains(metrics, 'end'), substringUTF8(error, 1, 200), tokens, cost, model, scores";
  const sql = `SELECT ${fields} FROM ${relation} WHERE project = ${text(project)} AND trace_id = ${text(traceId)} ORDER BY created, span_id LIMIT ${MAX_SPANS}`;
  const { rows } = await ask(sql, { signal });
  return rows.map(readLine);
}

function readLine(row: unknown[]): SpanLine {
  const [spanId, parentId, id, name, type, start, end, isRunning, error, tokens, cost, model, scores] = row as [string, string, string, string, string, number, number, unknown, string, number, number, string, Record<string, number>];
  return { spanId, parentId, id, name, type, start: start / 1000, end: Math.max(start, end) / 1000, isRunning: Boolean(isRunning), error, tokens, cost, model, scores };
}

export interface SpanEvent {
  time: string;
  name: string;
  attributes: Record<string, string>;
}

/** Everything about one span. */
export interface SpanDetail {
  id: string;
  span_id: string;
  trace_id: string;
  name: string;
  type: string;
  created: string;
  duration: number;
  input: string;
  output: string;
  expected: string;
  error: string;
  scores: Record<string, number>;
  metrics: Record<string, number>;
  metadata: Record<string, string>;
  metadata_json: string[];
  tags: string[];
  tokens: number;
  cost: number;
  model: string;
  provider: string;
  origin: string;
  events: SpanEvent[];
  links: { trace_id: string; span_id: string }[];
  resource: Record<string, string>;
  scope_name: string;
}

const DETAIL = "id, span_id, trace_id, name, type, created, duration, input, output, expected, error, scores, metrics, metadata, metadata_json, tags, tokens, cost, model, provider, origin, events, links, resource, scope_name";

const AS_OBJECTS = { settings: { output_format_json_named_tuples_as_objects: "1" } };

export async function loadDetail(project: string, traceId: string, line: SpanLine, relation: Relation, signal: AbortSignal): Promise<SpanDetail | undefined> {
  const near = `created >= fromUnixTimestamp64Micro(${Math.floor(line.start * 1000) - 1}, 'UTC') AND created <= fromUnixTimestamp64Micro(${Math.ceil(line.start * 1000) + 1}, 'UTC')`;
  const sql = `SELECT ${DETAIL} FROM ${relation} WHERE project = ${text(project)} AND ${near} AND trace_id = ${text(traceId)} AND span_id = ${text(line.spanId)} LIMIT 1`;
  return (await askRows<SpanDetail>(sql, { signal, ...AS_OBJECTS }))[0];
}

export interface ThreadSpan {
  span_id: string;
  name: string;
  type: string;
  input: string;
  output: string;
}

const THREAD_TYPES = "('llm', 'tool')";
const THREAD_SPANS = 200;

/** Inputs and outputs of the calls of models and tools in a trace, in their order. */
export async function loadThread(project: string, traceId: string, relation: Relation, signal: AbortSignal): Promise<ThreadSpan[]> {
  const sql = `SELECT span_id, name, type, input, output FROM ${relation} WHERE project = ${text(project)} AND trace_id = ${text(traceId)} AND type IN ${THREAD_TYPES} ORDER BY created LIMIT ${THREAD_SPANS}`;
  return askRows<ThreadSpan>(sql, { signal });
}

export interface LogLine {
  time: string;
  span_id: string;
  severity: string;
  body: string;
  attributes: Record<string, string>;
}

export async function loadLogLines(project: string, traceId: string, signal: AbortSignal): Promise<LogLine[]> {
  const sql = `SELECT time, span_id, severity, body, attributes FROM otel_logs WHERE project = ${text(project)} AND trace_id = ${text(traceId)} ORDER BY time LIMIT 2000`;
  return askRows<LogLine>(sql, { signal });
}

export interface ScoreReason {
  name: string;
  status: string;
  reason: string;
  rule: string;
  scorer: string;
}

/** What rules said about a span, skipped and failed scores included. */
export async function loadReasons(project: string, traceId: string, spanId: string, signal: AbortSignal): Promise<ScoreReason[]> {
  const sql = `SELECT name, status, reason, rule, scorer FROM scores WHERE project = ${text(project)} AND trace_id = ${text(traceId)} AND span_id = ${text(spanId)} AND source != 'row' ORDER BY name LIMIT 100`;
  return askRows<ScoreReason>(sql, { signal });
}

export interface LineageStep {
  from_type: string;
  from_object_id: string;
  from_id: string;
  from_name: string;
  to_type: string;
  to_object_id: string;
  to_id: string;
  to_name: string;
}

/** Where a row came from, and what was made of it, however many copies away. */
export function loadLineage(project: string, id: string, signal: AbortSignal): Promise<{ sources: LineageStep[]; uses: LineageStep[] }> {
  return call("GET", `/v1/lineage?${new URLSearchParams({ project, id })}`, undefined, signal);
}
