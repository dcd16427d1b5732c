// Asks the SQL endpoint.
import { ApiError, request } from "./api";

export interface Column {
  name: string;
  type: string;
}

export interface Table {
  columns: Column[];
  rows: unknown[][];
  seconds: number;
}

export interface Asking {
  parameters?: Record<string, string>;
  settings?: Record<string, string>;
  signal?: AbortSignal;
}

/** The result of a statement as columns and rows. */
export async function ask(sql: string, asking: Asking = {}): Promise<Table> {
  const began = performance.now();
  const answer = await send(sql, "JSONCompact", asking);
  const { meta, data } = await answer.json();
  return { columns: meta, rows: data, seconds: (performance.now() - began) / 1000 };
}

/** The result of a statement as objects. */
export async function askRows<T>(sql: string, asking: Asking = {}): Promise<T[]> {
  const { columns, rows } = await ask(sql, asking);
  return rows.map((row) => Object.fromEntries(columns.map(({ name }, at) => [name, row[at]])) as T);
}

/** The result as a file in one of ClickHouse's formats. */
export async function download(sql: string, format: string, asking: Asking = {}): Promise<Blob> {
  return (await send(sql, format, asking)).blob();
}

function send(sql: string, format: string, { parameters = {}, settings = {}, signal }: Asking): Promise<Response> {
  const query = new URLSearchParams({
    default_format: format,
    enable_http_compression: "1",
    output_format_json_quote_64bit_integers: "0",
    ...settings,
  });
  for (const [name, value] of Object.entries(parameters)) query.set(`param_${name}`, value);
  const init: RequestInit = { method: "POST", body: sql, headers: { "content-type": "text/plain" } };
  if (signal) init.signal = signal;
  return request(`/?${query}`, init);
}

/** The text as a string literal. */
export function text(value: string): string {
  return `'${value.replace(/\\/g, "\\\\").replace(/'/g, "\\'")}'`;
}

/** A time in milliseconds as a literal. */
export function time(ms: number): string {
  return `fromUnixTimestamp64Milli(${Math.round(ms)}, 'UTC')`;
}

/** Where in the statement an error is, as far as it says; null when it does not. */
export function errorPosition(error: unknown, sql: string): number | null {
  if (!(error instanceof ApiError)) return null;
  const position = /at position (\d+)/.exec(error.message)?.[1];
  if (position) return Math.max(0, Number(position) - 1);
  const name = culprit(error.message);
  const found = name ? sql.indexOf(name) : -1;
  return found < 0 ? null : found;
}

/** What the message names: an unknown name, or where a syntax error begins. */
function culprit(message: string): string | undefined {
  const name = /(?:identifier|function|column|table|type)s?:? (?:expression )?[`'"]([^`'"]+)[`'"]/i.exec(message)?.[1] ?? /(?:function|table) ([\w.]+) (?:is|does)/i.exec(message)?.[1];
  return name ?? /failed at position \d+[^:]*: (\S{1,40})/.exec(message)?.[1];
}

/** Which of these conditions the error speaks of, and where in it; null when it is none of them. */
export function blame(error: unknown, conditions: string[]): { condition: number; position: number; length: number } | null {
  if (!(error instanceof ApiError)) return null;
  const name = culprit(error.message)?.replace(/[);,]+$/, "");
  const condition = name ? conditions.findIndex((text) => text.includes(name)) : -1;
  if (condition >= 0) return { condition, position: conditions[condition]!.indexOf(name!), length: name!.length };
  const isSyntax = /syntax error|cannot check this statement/i.test(error.message);
  return isSyntax && conditions.length ? { condition: conditions.length - 1, position: 0, length: 0 } : null;
}

/** The reason without the statement that ClickHouse repeats in it. */
export function errorReason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/\s*\(version [^)]*\)\s*$/, "").replace(/(: While processing|In scope|, expected one of|\. Expected one of)[\s\S]*$/i, "").slice(0, 400);
}
