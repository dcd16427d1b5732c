// Inputs to try a prompt on: pasted text, or rows of a dataset.
import { parseCsv } from "../datasets/parse";
import { fetchRows, findDataset } from "../datasets/api";
import { type Format, type Inputs, MAX_ROWS } from "./config";

export interface InputRow {
  input?: unknown;
  expected?: unknown;
  metadata?: Record<string, unknown>;
  /** The dataset's row it is. */
  origin?: { object_type: "dataset"; object_id: string; id: string; _xact_id: string; created: string };
}

export interface InputRows {
  rows: InputRow[];
  /** Where they are from, for an experiment. */
  dataset?: { id: string; version: string };
}

/** What a text means when nobody says so. */
export function guessFormat(text: string): Format {
  const start = text.trimStart()[0] ?? "";
  if ("[{".includes(start) && start) return "json";
  const [first = "", second] = text.trim().split("\n");
  const isTable = second !== undefined && first.includes(",") && /(^|,)"?(input|expected|question)"?(,|$)/i.test(first.trim());
  return isTable ? "csv" : "lines";
}

/** The rows of a text; throws with the place where it is wrong. Without any text a prompt runs once, as it is. */
export function readPasted(text: string, format: Format): InputRow[] {
  if (!text.trim()) return [{}];
  const rows = read(text.trim(), format);
  if (rows.length > MAX_ROWS) throw new Error(`These are ${rows.length} inputs. At most ${MAX_ROWS} fit here; for more, make a dataset and run an eval.`);
  return rows;
}

function read(text: string, format: Format): InputRow[] {
  if (format === "text") return [{ input: text }];
  if (format === "lines") return text.split("\n").map((line) => line.trim()).filter(Boolean).map((input) => ({ input }));
  if (format === "csv") return parseCsv(text).map(toRow);
  return parseJsonRows(text).map((value) => (isObject(value) ? toRow(value) : { input: value }));
}

function parseJsonRows(text: string): unknown[] {
  let whole: unknown;
  try {
    whole = JSON.parse(text);
  } catch (error) {
    if (!text.startsWith("{") || !text.includes("\n")) throw error;
    return text.split("\n").map((line) => line.trim()).filter(Boolean).map((line, at) => parseLine(line, at + 1));
  }
  return Array.isArray(whole) ? whole : [whole];
}

function parseLine(line: string, number: number): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new Error(`Line ${number} is no JSON: ${(error as Error).message}`);
  }
}

/** `input`, `expected` and `metadata` are those; without `input`, the other fields are it. */
function toRow(given: Record<string, unknown>): InputRow {
  const { input, expected, metadata, ...rest } = given;
  const row: InputRow = {};
  if (expected !== undefined) row.expected = expected;
  if ("input" in given) {
    row.input = input;
    if (Object.keys(rest).length || isObject(metadata)) row.metadata = { ...rest, ...(isObject(metadata) ? metadata : {}) };
  } else {
    if (Object.keys(rest).length) row.input = rest;
    if (isObject(metadata)) row.metadata = metadata;
  }
  return row;
}

export async function readDataset(project: string, { dataset, version, limit }: Inputs, signal: AbortSignal): Promise<InputRows> {
  const found = await findDataset(project, dataset, signal);
  if (!found) throw new Error(`There is no dataset "${dataset}" in this project.`);
  const page = await fetchRows(found.id, { version, limit }, signal);
  const rows = page.rows.slice(0, limit).map((row): InputRow => {
    const origin = { object_type: "dataset" as const, object_id: found.id, id: row.id, _xact_id: row.version ?? "", created: row.created ?? "" };
    return { input: row.input, expected: row.expected, ...(row.metadata ? { metadata: row.metadata } : {}), origin };
  });
  return { rows, dataset: { id: found.id, version: page.version } };
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const PLACEHOLDER = /\{\{\s*([\w.-]+)\s*\}\}/g;

/** The names that texts ask for, each once. */
export function placeholders(texts: string[]): string[] {
  return [...new Set(texts.flatMap((text) => [...text.matchAll(PLACEHOLDER)].map((match) => match[1]!)))];
}

/** Whether a row has something to fill in for the name; `input.question` or `question`, as the collector does it. */
export function has(row: InputRow, name: string): boolean {
  const own = isObject(row.input) ? row.input : {};
  let value: unknown = { ...own, input: row.input, expected: row.expected, metadata: row.metadata };
  for (const part of name.split(".")) value = Array.isArray(value) ? value[Number(part)] : isObject(value) ? value[part] : undefined;
  return value !== undefined && value !== null && value !== "";
}
