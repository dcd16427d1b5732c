// A dataset as a file, of the newest or of an earlier version.
import { saveFile } from "../../lib/save";
import { type Dataset, type DatasetRow, fetchRows } from "./api";

export async function exportRows(dataset: Dataset, version: string, format: "jsonl" | "json" | "csv"): Promise<void> {
  const rows = await allRows(dataset, version);
  const lines = format === "csv" ? toCsv(rows) : rows.map((row) => JSON.stringify(row));
  const text = format === "json" ? `[\n${lines.join(",\n")}\n]\n` : `${lines.join("\n")}\n`;
  saveFile(text, `${dataset.name}.${format}`);
}

async function allRows(dataset: Dataset, version: string): Promise<DatasetRow[]> {
  const rows: DatasetRow[] = [];
  let cursor = "";
  let pinned = version;
  do {
    const page = await fetchRows(dataset.id, { version: pinned, cursor });
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
