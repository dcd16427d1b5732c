// The rows of a result.
import { useState } from "preact/hooks";
import { number } from "../../lib/format";
import { addressOf } from "../../lib/router";
import type { Table } from "../../lib/sql";
import { CopyButton, Dialog } from "../../ui/basics";
import { Grid, type GridColumn } from "../../ui/grid";
import { JsonTree, parseJson, pretty } from "../../ui/json";

const SHOWN_CHARACTERS = 300;
const SAMPLE_ROWS = 60;

export function ResultGrid({ table }: { table: Table }) {
  const [widths, setWidths] = useState<Record<string, number>>({});
  const [open, setOpen] = useState<number | null>(null);
  const columns = table.columns.map((column, at): GridColumn<unknown[]> => ({
    id: String(at),
    title: <span class="ellipsis" title={column.type}>{column.name}</span>,
    width: widths[at] ?? widthOf(table, at),
    ...(isNumeric(column.type) ? { align: "right" as const } : {}),
    cell: (row) => <Value name={column.name} type={column.type} value={row[at]} />,
  }));
  const row = open === null ? undefined : table.rows[open];
  return (
    <>
      <Grid label="Result" columns={columns} rows={table.rows} rowHeight={28} keyOf={(_, at) => String(at)} onOpen={(_, at) => setOpen(at)} onResize={(id, width) => setWidths({ ...widths, [id]: width })} />
      {row && (
        <Dialog title={`Row ${open! + 1}`} wide onClose={() => setOpen(null)}>
          <dl class="pairs">
            {table.columns.map((column, at) => (
              <div class="pair" key={column.name}>
                <dt title={column.type}>{column.name}</dt>
                <dd><JsonTree value={expanded(row[at])} depth={2} /></dd>
                <span class="pair-actions"><CopyButton text={() => pretty(row[at])} /></span>
              </div>
            ))}
          </dl>
        </Dialog>
      )}
    </>
  );
}

function Value({ name, type, value }: { name: string; type: string; value: unknown }) {
  if (value === null) return <span class="hint">NULL</span>;
  if (name === "trace_id" && typeof value === "string" && value) return <a class="ellipsis" href={addressOf("logs", { r: value })}>{value}</a>;
  if (typeof value === "number") return <span class="number" title={String(value)}>{/id$/i.test(name) || /^Date/.test(type) ? value : number(value)}</span>;
  const shown = typeof value === "string" ? value : JSON.stringify(value);
  return <span class="ellipsis" title={shown.slice(0, 2000)}>{shown.slice(0, SHOWN_CHARACTERS)}</span>;
}

/** JSON that is kept as text opens as what it says. */
function expanded(value: unknown): unknown {
  return typeof value === "string" && /^[[{]/.test(value) ? parseJson(value) : value;
}

export function isNumeric(type: string): boolean {
  return /^(Nullable\(|LowCardinality\()*(U?Int|Float|Decimal)/.test(type);
}

export function isTime(type: string): boolean {
  return /^(Nullable\()?Date/.test(type);
}

function widthOf(table: Table, at: number): number {
  const texts = table.rows.slice(0, SAMPLE_ROWS).map((row) => {
    const value = row[at];
    return typeof value === "number" ? number(value).length : (typeof value === "string" ? value : JSON.stringify(value) ?? "").length;
  });
  const longest = Math.max(table.columns[at]!.name.length + 1, ...texts);
  return Math.max(70, Math.min(420, Math.round(longest * 7.2) + 22));
}
