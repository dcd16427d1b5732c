// A dataset as a file, of the newest or of an earlier version.
import type { FileChoice } from "../../ui/exportmenu";
import { type Dataset, type DatasetRow, fetchRows } from "./api";

type Format = "csv" | "json" | "jsonl";
const FORMATS: [string, Format][] = [["CSV", "csv"], ["JSON", "json"], ["JSON lines", "jsonl"]];

export function datasetFiles(dataset: Dataset, version: string): FileChoice[] {
  return FORMATS.map(([title, format]) => ({ title, name: `${dataset.name}.${format}`, load: async (signal) => written(await allRows(dataset, version, signal), format) }));
}

function written(rows: DatasetRow[], format: Format): Blob {
  const lines = format === "csv" ? toCsv(rows) : rows.map((row) => JSON.stringify(row));
  const text = format === "json" ? `[\n${lines.join(",\n")}\n]\n` : `${lines.join("\n")}\n`;
  return new Blob([text]);
}

async function allRows(dataset: Dataset, version: string, signal: AbortSignal): Promise<DatasetRow[]> {
  const rows: DatasetRow[] = [];
  let cursor = "";
  let pinned = version;
  do {
    const page = await fetchRows(dataset.id, { version: pinned, cursor }, signal);
    rows.push(...page.rows);
    cursor = page.next_cursor;
    pinned = page.version;
  } while (cursor);
  return rows;
}

const COLUMNS = ["id", "input", "expected", "metadata", "tags"] as const;

function toCsv(rows: DatasetRow[]): string[] {
  return [COLUMNS.join(","), ...rows.map((row) => COLUMNS.map((name) => cell(row[name])).join(","))];
}

function cell(value: unknown): string {
  const text = typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value);
  // A leading sign would make a formula of the text in spreadsheets.
  const safe = /^[=+@\t\r-]/.test(text) && Number.isNaN(Number(text)) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
