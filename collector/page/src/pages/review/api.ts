// Review queues: what waits is read by SQL, every change goes through the API.
import { call } from "../../lib/api";
import { askRows, text } from "../../lib/sql";

export type Status = "pending" | "in_progress" | "done" | "skipped";
export type Source = "logs" | "eval_rows" | "dataset_rows";

/** An item as the list shows it. */
export interface Line {
  id: string;
  queue: string;
  status: Status;
  assignee: string;
  claimed_by: string;
  reviewed_by: string;
  source: Source;
  row_id: string;
  created: string;
  updated: string;
  /** Of rows of logs: name and the start of their input. */
  name: string;
  preview: string;
}

export interface Row {
  name?: string;
  input?: unknown;
  output?: unknown;
  expected?: unknown;
  error?: string;
  scores?: Record<string, number>;
  metadata?: Record<string, unknown>;
  tags?: string[];
}

export interface Item {
  id: string;
  queue: string;
  status: Status;
  assignee: string;
  claimed_by: string;
  /** RFC 3339; empty when nobody has it. */
  claimed_until: string;
  source: Source;
  object_id: string;
  row_id: string;
  trace_id: string;
  reviewed_by: string;
  scores?: Record<string, number> | null;
  expected?: unknown;
  comment: string;
  version: number;
  /** Null when the row is gone. */
  row?: Row | null;
}

export interface Filter {
  project: string;
  queue: string;
  /** waiting: pending and in progress; empty: all. */
  status: "waiting" | "done" | "skipped" | "";
  assignee: string;
}

export const LIST_ROWS = 500;
const PREVIEW_CHARACTERS = 200;

function where({ project, queue, status, assignee }: Filter): string {
  const states = status === "waiting" ? "'pending', 'in_progress'" : status ? text(status) : "";
  return [
    `project = ${text(project)}`,
    queue ? `queue = ${text(queue)}` : "",
    states ? `status IN (${states})` : "",
    assignee ? `assignee = ${text(assignee)}` : "",
  ].filter(Boolean).join(" AND ");
}

/** What waits oldest first, what is over newest first. */
export async function listItems(filter: Filter, signal: AbortSignal): Promise<Line[]> {
  const order = filter.status === "waiting" ? "created, id" : "updated DESC, id";
  const sql = `SELECT id, queue, status, assignee, claimed_by, reviewed_by, source, row_id, trace_id, created, updated
    FROM review_queue WHERE ${where(filter)} ORDER BY ${order} LIMIT ${LIST_ROWS}`;
  const items = await askRows<Line & { trace_id: string }>(sql, { signal });
  const traced = items.filter((item) => item.source === "logs" && item.trace_id);
  const rows = traced.length ? await previews(filter.project, traced, signal) : new Map<string, { name: string; preview: string }>();
  return items.map((item) => ({ ...item, name: "", preview: "", ...rows.get(item.row_id) }));
}

async function previews(project: string, items: { trace_id: string; row_id: string }[], signal: AbortSignal): Promise<Map<string, { name: string; preview: string }>> {
  const list = (values: string[]) => [...new Set(values)].map(text).join(", ");
  const sql = `SELECT id, name, leftUTF8(if(startsWith(input, '"'), JSONExtractString(input), input), ${PREVIEW_CHARACTERS}) AS preview
    FROM logs WHERE project = ${text(project)} AND trace_id IN (${list(items.map((item) => item.trace_id))}) AND id IN (${list(items.map((item) => item.row_id))})`;
  const rows = await askRows<{ id: string; name: string; preview: string }>(sql, { signal });
  return new Map(rows.map(({ id, name, preview }) => [id, { name, preview }]));
}

export interface Counts {
  queues: string[];
  people: string[];
  /** Items of the chosen queue and assignee, by status. */
  byStatus: Record<Status, number>;
}

export async function loadCounts({ project, queue, assignee }: Filter, signal: AbortSignal): Promise<Counts> {
  const sql = `SELECT queue, status, assignee, reviewed_by, count() AS count FROM review_queue WHERE project = ${text(project)} GROUP BY ALL LIMIT 10000`;
  const rows = await askRows<{ queue: string; status: Status; assignee: string; reviewed_by: string; count: number }>(sql, { signal });
  const byStatus = { pending: 0, in_progress: 0, done: 0, skipped: 0 };
  for (const row of rows) if ((!queue || row.queue === queue) && (!assignee || row.assignee === assignee)) byStatus[row.status] += row.count;
  const distinct = (values: string[]) => [...new Set(values)].filter(Boolean).sort();
  return { queues: distinct(rows.map((row) => row.queue)), people: distinct(rows.flatMap((row) => [row.assignee, row.reviewed_by])), byStatus };
}

/** The names of scores that people gave in this queue before, the most frequent first. */
export async function knownScores(project: string, queue: string, signal: AbortSignal): Promise<string[]> {
  const sql = `SELECT name FROM (SELECT arrayJoin(mapKeys(scores)) AS name FROM review_queue WHERE project = ${text(project)}${queue ? ` AND queue = ${text(queue)}` : ""} AND status = 'done') GROUP BY name ORDER BY count() DESC, name LIMIT 9`;
  return (await askRows<{ name: string }>(sql, { signal })).map((row) => row.name);
}

const PATH = "/v1/review";

function post<T>(id: string, verb: string, body: object): Promise<T> {
  return call("POST", `${PATH}/items/${encodeURIComponent(id)}/${verb}`, body);
}

export function getItem(project: string, id: string, signal: AbortSignal): Promise<Item> {
  return call("GET", `${PATH}/items/${encodeURIComponent(id)}?${new URLSearchParams({ project })}`, undefined, signal);
}

/** The next item for a reviewer, or a certain one; null when nothing waits. */
export async function claim(project: string, reviewer: string, which: { queue?: string; id?: string }): Promise<Item | null> {
  return (await call<{ item?: Item }>("POST", `${PATH}/claim`, { project, reviewer, ...which })).item ?? null;
}

export interface Verdict {
  scores: Record<string, number>;
  /** Absent where the expected answer stays as it is. */
  expected?: unknown;
  comment: string;
  tags: string[];
}

export function submit(project: string, reviewer: string, id: string, verdict: Verdict): Promise<Item> {
  return post(id, "submit", { project, reviewer, ...verdict });
}

export function skip(project: string, reviewer: string, id: string, comment: string): Promise<Item> {
  return post(id, "skip", { project, reviewer, comment });
}

export function assign(project: string, reviewer: string, id: string, assignee: string): Promise<Item> {
  return post(id, "assign", { project, reviewer, assignee });
}

export function requeue(project: string, reviewer: string, id: string): Promise<Item> {
  return post(id, "requeue", { project, reviewer });
}

export interface Wish {
  project: string;
  queue: string;
  source: Source;
  where: string;
  limit: number;
  assignee: string;
  reviewer: string;
}

export function queueRows(wish: Wish): Promise<{ queued: number; known: number }> {
  return call("POST", `${PATH}/items`, wish);
}

export interface Candidates {
  count: number;
  previews: string[];
}

const SHOWN_ROWS = 5;

/** How many rows a condition chooses, and the newest of them. */
export async function candidates({ project, source, where: condition }: Pick<Wish, "project" | "source" | "where">, signal: AbortSignal): Promise<Candidates> {
  // The condition stands on lines of its own, so that a comment at its end cannot swallow ours.
  const rows = `FROM ${source} WHERE project = ${text(project)} AND (\n${condition.trim() || "1"}\n)`;
  const [found] = await askRows<{ n: number }>(`SELECT count() AS n ${rows}`, { signal });
  const newest = await askRows<{ preview: string }>(`SELECT leftUTF8(input, ${PREVIEW_CHARACTERS}) AS preview ${rows} ORDER BY created DESC, id LIMIT ${SHOWN_ROWS}`, { signal });
  return { count: found?.n ?? 0, previews: newest.map((row) => row.preview) };
}

export interface Step {
  time: string;
  actor: string;
  action: string;
  comment: string;
  changed: string;
}

/** What became of an item, oldest first. */
export function loadHistory(project: string, id: string, signal: AbortSignal): Promise<Step[]> {
  const sql = `SELECT time, actor, action, comment, changed FROM audit_log WHERE kind = 'review' AND project = ${text(project)} AND id = ${text(id)} ORDER BY version LIMIT 200`;
  return askRows<Step>(sql, { signal });
}
