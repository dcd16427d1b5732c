// Files of rows: CSV, JSON and JSON lines, read in the browser so that they can be looked at before they are sent.
import { counted } from "../../lib/format";
import { parseJson } from "../../ui/json";
import type { DatasetRow } from "./api";

export type FileRow = Record<string, unknown>;

/** What the file holds; throws with the line where it is wrong. */
export function parseFile(name: string, text: string): FileRow[] {
  const content = text.replace(/^\uFEFF/, "");
  if (/\.csv$/i.test(name)) return parseCsv(content);
  return content.trimStart().startsWith("[") ? parseArray(content) : parseLines(content);
}

function parseArray(text: string): FileRow[] {
  const rows: unknown = JSON.parse(text);
  return (rows as unknown[]).map((row, at) => asRow(row, `row ${at + 1}`));
}

function parseLines(text: string): FileRow[] {
  const rows: FileRow[] = [];
  text.split("\n").forEach((line, at) => {
    if (line.trim()) rows.push(asRow(readLine(line, at + 1), `line ${at + 1}`));
  });
  return rows;
}

function readLine(line: string, number: number): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new Error(`Line ${number} is no JSON: ${(error as Error).message}. One object on each line, or one list in all.`);
  }
}

function asRow(value: unknown, where: string): FileRow {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as FileRow;
  throw new Error(`An object was expected at ${where}, such as {"input": …, "expected": …}.`);
}

/** CSV as RFC 4180 has it; the first line names the columns. Values that are JSON objects or lists become so. */
export function parseCsv(text: string): FileRow[] {
  const [names = [], ...lines] = records(text);
  if (new Set(names).size !== names.length) throw new Error("The first line names a column twice.");
  return lines.map((cells, at) => {
    if (cells.length !== names.length) throw new Error(`Row ${at + 1} has ${counted(cells.length, "value")}, the first line names ${counted(names.length, "column")}.`);
    return Object.fromEntries(names.map((name, column) => [name, cellValue(cells[column]!)]));
  });
}

function cellValue(cell: string): unknown {
  return /^\s*[[{]/.test(cell) ? parseJson(cell) : cell;
}

function records(text: string): string[][] {
  const found: string[][] = [];
  let cells: string[] = [];
  let at = 0;
  while (at < text.length) {
    const [cell, end] = text[at] === '"' ? quoted(text, at) : plain(text, at);
    if (end < text.length && !",\r\n".includes(text[end]!)) throw new Error(`Row ${found.length}: after a closing quote comes a comma or the end of the line.`);
    cells.push(cell);
    at = end;
    if (text[at] === ",") {
      at += 1;
      if (at < text.length) continue;
      cells.push("");
    }
    if (cells.length > 1 || cells[0] !== "") found.push(cells);
    cells = [];
    at += text.startsWith("\r\n", at) ? 2 : 1;
  }
  return found;
}

function plain(text: string, from: number): [string, number] {
  let end = from;
  while (end < text.length && !",\r\n".includes(text[end]!)) end += 1;
  return [text.slice(from, end), end];
}

function quoted(text: string, from: number): [string, number] {
  let end = from + 1;
  for (;;) {
    end = text.indexOf('"', end);
    if (end < 0) throw new Error(`A quote that opens at character ${from + 1} is never closed.`);
    if (text[end + 1] !== '"') break;
    end += 2;
  }
  return [text.slice(from + 1, end).replaceAll('""', '"'), end + 1];
}

export const TARGETS = ["input", "expected", "metadata", "tags", "id"] as const;
export type Target = (typeof TARGETS)[number] | "ignore";

const NAMES: Record<string, Target> = { output: "expected", answer: "expected", expected_output: "expected", question: "input", prompt: "input" };

/** Where each column goes when nobody says otherwise; columns without a known name describe the row. */
export function guessTargets(columns: string[]): Record<string, Target> {
  const own = new Set<string>(TARGETS);
  const targets = Object.fromEntries(columns.map((name) => [name, own.has(name) ? (name as Target) : (NAMES[name.toLowerCase()] ?? "metadata")]));
  if (columns[0] && !Object.values(targets).includes("input")) targets[columns[0]] = "input";
  return targets;
}

/** One column that becomes the input is it; several become its fields. */
export function toDatasetRow(row: FileRow, targets: Record<string, Target>): DatasetRow {
  const pick = (target: Target) => Object.entries(row).filter(([name]) => targets[name] === target);
  const made: DatasetRow = { id: String(pick("id")[0]?.[1] ?? "") };
  for (const target of ["input", "expected"] as const) {
    const found = pick(target);
    if (found.length) made[target] = found.length === 1 ? found[0]![1] : Object.fromEntries(found);
  }
  const tags = pick("tags").flatMap(([, value]) => (Array.isArray(value) ? value : String(value ?? "").split(","))).map((tag) => String(tag).trim());
  if (tags.some(Boolean)) made.tags = tags.filter(Boolean);
  const metadata = pick("metadata").flatMap(([name, value]): [string, unknown][] => (name === "metadata" && isObject(value) ? Object.entries(value) : [[name, value]]));
  if (metadata.length) made.metadata = Object.fromEntries(metadata);
  return made;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
