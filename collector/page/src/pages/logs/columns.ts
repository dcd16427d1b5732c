// The columns that a list of rows can have.
import { text } from "../../lib/sql";
import type { Shape } from "./state";

export type Kind = "time" | "name" | "preview" | "text" | "number" | "duration" | "cost" | "scores" | "tags" | "error" | "count";

export interface LogColumn {
  id: string;
  title: string;
  kind: Kind;
  width: number;
  /** Over one row of `logs`; empty for what is added up over the trace. */
  sql: string;
  /** The condition that a click on a value adds. */
  filter?: (value: string) => string;
}

/** The text that a person would look for in a value: a plain text, the last message, the only member, or the JSON itself. */
function preview(column: string): string {
  const at = (...path: string[]) => `JSONExtractString(${[column, ...path].join(", ")})`;
  const messages = [at("-1", "'content'", "1", "'text'"), at("-1", "'content'"), at("-1", "'parts'", "1", "'content'"), at("'messages'", "-1", "'content'"), at("'choices'", "1", "'message'", "'content'"), at("'content'")];
  const texts = [`if(startsWith(${column}, '"'), ${at()}, '')`, ...messages, `if(JSONLength(${column}) = 1, ${at("1")}, '')`, column];
  return `substringUTF8(arrayFirst(one -> one != '', [${texts.join(", ")}]), 1, 260)`;
}

const equals = (expression: string) => (value: string) => `${expression} = ${text(value)}`;

const BUILT_IN: LogColumn[] = [
  { id: "created", title: "Time", kind: "time", width: 110, sql: "created" },
  { id: "name", title: "Name", kind: "name", width: 176, sql: "name", filter: equals("name") },
  { id: "input", title: "Input", kind: "preview", width: 0, sql: preview("input") },
  { id: "output", title: "Output", kind: "preview", width: 0, sql: preview("output") },
  { id: "expected", title: "Expected", kind: "preview", width: 200, sql: preview("expected") },
  { id: "error", title: "Error", kind: "error", width: 150, sql: "substringUTF8(error, 1, 200)" },
  { id: "scores", title: "Scores", kind: "scores", width: 172, sql: "scores" },
  { id: "tags", title: "Tags", kind: "tags", width: 90, sql: "tags", filter: (value) => `has(tags, ${text(value)})` },
  { id: "duration", title: "Duration", kind: "duration", width: 76, sql: "duration" },
  { id: "spans", title: "Spans", kind: "count", width: 58, sql: "" },
  { id: "errors", title: "Errors", kind: "count", width: 66, sql: "" },
  { id: "tokens", title: "Tokens", kind: "number", width: 68, sql: "tokens" },
  { id: "cost", title: "Cost", kind: "cost", width: 84, sql: "cost" },
  { id: "model", title: "Model", kind: "text", width: 140, sql: "model", filter: equals("model") },
  { id: "provider", title: "Provider", kind: "text", width: 100, sql: "provider", filter: equals("provider") },
  { id: "type", title: "Type", kind: "text", width: 80, sql: "type", filter: equals("type") },
  { id: "id", title: "Id", kind: "text", width: 150, sql: "id", filter: equals("id") },
  { id: "trace_id", title: "Trace", kind: "text", width: 150, sql: "trace_id", filter: equals("trace_id") },
  { id: "comment", title: "Comment", kind: "text", width: 160, sql: "metadata['comment']" },
  { id: "first_token", title: "First token", kind: "duration", width: 90, sql: "metrics['time_to_first_token']" },
];

const USUAL: Record<Shape, string[]> = {
  traces: ["created", "name", "input", "output", "scores", "duration", "spans", "tokens", "cost", "tags"],
  spans: ["created", "name", "input", "output", "model", "scores", "duration", "tokens", "cost", "tags"],
};

/** What is added up over all spans of a trace; in a list of spans these are the span's own. */
export const TRACE_COLUMNS = new Set(["spans", "errors", "tokens", "cost"]);

export const CUSTOM_PREFIX = "sql:";

export function columnsOf(ids: string[], shape: Shape): LogColumn[] {
  return (ids.length ? ids : USUAL[shape]).map(columnOf).filter((column) => column !== null);
}

export function usualColumns(shape: Shape): string[] {
  return USUAL[shape];
}

export function availableColumns(shape: Shape): LogColumn[] {
  return BUILT_IN.filter((column) => column.sql || shape === "traces");
}

export function columnOf(id: string): LogColumn | null {
  if (!id.startsWith(CUSTOM_PREFIX)) return BUILT_IN.find((column) => column.id === id) ?? null;
  const expression = id.slice(CUSTOM_PREFIX.length);
  const title = /^\w+\['([^']+)'\]$/.exec(expression)?.[1] ?? expression;
  return { id, title, kind: "text", width: 140, sql: expression, filter: equals(`toString(${expression})`) };
}

/** The column of one key of a map, as picked from a row. */
export function customColumn(expression: string): string {
  return CUSTOM_PREFIX + expression;
}
