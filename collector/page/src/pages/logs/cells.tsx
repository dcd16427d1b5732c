// One value of a row in the list.
import { clock, count, day, dollars, duration, moment, number, parseTime, score } from "../../lib/format";
import { text } from "../../lib/sql";
import { Icon, TypeIcon } from "../../ui/icons";
import type { LogColumn } from "./columns";
import type { LogRow, TraceTotals } from "./queries";

interface Props {
  column: LogColumn;
  row: LogRow;
  value: unknown;
  totals?: TraceTotals | undefined;
  onFilter: (condition: string) => void;
}

export function Cell({ column, row, value, totals, onFilter }: Props) {
  switch (column.kind) {
    case "time":
      return <Time created={row.created} />;
    case "name":
      return (
        <>
          <TypeIcon type={row.type} />
          <span class={`ellipsis${row.error ? " bad" : ""}`} title={row.error || String(value)}>{String(value) || "(no name)"}</span>
          {row.isRootless && <span class="tag" title="The root of this trace is not here, or not yet: its earliest span stands in.">no root</span>}
          {row.isRunning && <span class="running-dot" title="Still running" />}
          {row.error && <span class="error-dot" title={row.error}><Icon name="alert" size={13} label="error" /></span>}
          <FilterButton column={column} value={String(value)} onFilter={onFilter} />
        </>
      );
    case "scores":
      return <Scores scores={value as Record<string, number>} onFilter={onFilter} />;
    case "tags":
      return <>{(value as string[]).map((tag) => <button key={tag} type="button" class="tag" title={`Only ${tag}`} onClick={() => onFilter(column.filter!(tag))}>{tag}</button>)}</>;
    case "duration":
      return <span class="number">{row.isRunning ? "…" : Number(value) ? duration(Number(value)) : ""}</span>;
    case "cost":
      return <span class="number">{dollars(Number(totals?.cost ?? value))}</span>;
    case "number":
      return <span class="number">{shownCount(totals?.[column.id as "tokens"] ?? value)}</span>;
    case "count":
      return <span class={`number${column.id === "errors" && totals?.errors ? " bad" : ""}`}>{shownCount(totals?.[column.id as "spans"])}</span>;
    case "error":
      return <span class="ellipsis bad" title={String(value)}>{String(value)}</span>;
    case "preview":
      return <span class="preview">{String(value)}</span>;
    case "text":
      return (
        <>
          <span class="ellipsis" title={shown(value)}>{shown(value)}</span>
          <FilterButton column={column} value={shown(value)} onFilter={onFilter} />
        </>
      );
  }
}

function FilterButton({ column, value, onFilter }: { column: LogColumn; value: string; onFilter: (condition: string) => void }) {
  if (!column.filter || !value) return null;
  const pick = (event: MouseEvent) => {
    const condition = column.filter!(value);
    onFilter(event.shiftKey ? `NOT (${condition})` : condition);
  };
  return (
    <button type="button" class="cell-filter" tabIndex={-1} title="Only these; with Shift, all others" aria-label={`Only ${column.title} ${value}`} onClick={pick}>
      <Icon name="filter" size={12} />
    </button>
  );
}

function Time({ created }: { created: string }) {
  const at = parseTime(created);
  const isToday = new Date(at).toDateString() === new Date().toDateString();
  return (
    <time dateTime={new Date(at).toISOString()} title={moment(at, true)}>
      {!isToday && <span class="hint">{day(at)} </span>}
      {clock(at, isToday)}
    </time>
  );
}

function Scores({ scores, onFilter }: { scores: Record<string, number>; onFilter: (condition: string) => void }) {
  const pick = (event: MouseEvent, name: string, value: number) => {
    const comparison = event.shiftKey ? ">=" : "<=";
    // A row without the score would count as 0.
    onFilter(`mapContains(scores, ${text(name)}) AND scores[${text(name)}] ${comparison} ${value}`);
  };
  return (
    <>
      {Object.entries(scores ?? {}).map(([name, value]) => (
        <button key={name} type="button" tabIndex={-1} class={`score ${grade(value)}`} title={`${name}: ${value}. Click: only scores up to this; with Shift: from this`} onClick={(event) => pick(event, name, value)}>
          <span class="score-name">{name}</span> {score(value)}
        </button>
      ))}
    </>
  );
}

export function grade(value: number): string {
  return value >= 0.8 ? "high" : value >= 0.5 ? "middle" : "low";
}

function shownCount(value: unknown): string {
  return value === undefined || !Number(value) ? "" : count(Number(value));
}

function shown(value: unknown): string {
  if (typeof value === "number") return number(value);
  return typeof value === "string" ? value : value === null || value === undefined ? "" : JSON.stringify(value);
}
