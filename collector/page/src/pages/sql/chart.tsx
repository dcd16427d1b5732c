// A chart of a result without any settings: its first time or text is the axis, its numbers are the lines or bars.
import { number, parseTime } from "../../lib/format";
import type { Table } from "../../lib/sql";
import { Empty } from "../../ui/basics";
import { Legend, niceMax, type Series, TimeChart } from "../../ui/charts";
import { isNumeric, isTime } from "./result";

const MAX_BARS = 60;

export function QuickChart({ table }: { table: Table }) {
  const numbers = table.columns.map((column, at) => ({ column, at })).filter(({ column }) => isNumeric(column.type));
  const time = table.columns.findIndex((column) => isTime(column.type));
  const label = table.columns.findIndex((column) => !isNumeric(column.type) && !isTime(column.type));
  if (!numbers.length || !table.rows.length) return <Empty icon="chart" title="Nothing to draw"><p>A chart needs rows with at least one column of numbers, and a time or a name beside it.</p></Empty>;
  if (time >= 0) return <OverTime table={table} time={time} label={label} numbers={numbers.map(({ at }) => at)} />;
  return <>{numbers.slice(0, 4).map(({ column, at }) => <Bars key={at} title={column.name} rows={table.rows.slice(0, MAX_BARS).map((row, index) => [label >= 0 ? String(row[label]) : String(index + 1), Number(row[at])])} />)}</>;
}

function OverTime({ table, time, label, numbers }: { table: Table; time: number; label: number; numbers: number[] }) {
  const times = [...new Set(table.rows.map((row) => timeOf(row[time])))].sort((a, b) => a - b);
  const at = new Map(times.map((ms, index) => [ms, index]));
  const series = new Map<string, Series>();
  for (const row of table.rows) {
    const index = at.get(timeOf(row[time]))!;
    for (const column of numbers) {
      const name = [label >= 0 ? String(row[label]) : "", numbers.length > 1 || label < 0 ? table.columns[column]!.name : ""].filter(Boolean).join(" ");
      if (!series.has(name)) series.set(name, { name, values: times.map(() => null) });
      series.get(name)!.values[index] = Number(row[column]);
    }
  }
  const lines = [...series.values()].slice(0, 16);
  const bucket = times.length > 1 ? times[1]! - times[0]! : 60_000;
  return (
    <>
      <TimeChart title="Result over time" times={times} bucket={bucket} series={lines} format={number} height={300} />
      <Legend names={lines.map((line) => line.name)} />
    </>
  );
}

/** A date is midnight of its day. */
function timeOf(value: unknown): number {
  const text = String(value);
  return parseTime(text.length === 10 ? `${text} 00:00:00` : text);
}

function Bars({ title, rows }: { title: string; rows: [string, number][] }) {
  const most = niceMax(Math.max(...rows.map(([, value]) => value)));
  return (
    <section class="bars" aria-label={title}>
      <h3>{title}</h3>
      {rows.map(([name, value], at) => (
        <div class="bar-line" key={at}>
          <span class="ellipsis" title={name}>{name || "(none)"}</span>
          <span class="bar-track"><span class="c0" style={{ width: `${Math.max(0, (value / most) * 100)}%` }} /></span>
          <span class="number">{number(value)}</span>
        </div>
      ))}
    </section>
  );
}
