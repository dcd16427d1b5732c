// The list of rows: loads more at its end, and again every two seconds while live.
import { useEffect, useRef, useState } from "preact/hooks";
import { isAbort } from "../../lib/api";
import { readRange } from "../../lib/range";
import { remembered } from "../../lib/session";
import { blame } from "../../lib/sql";
import { ErrorBox, Spinner } from "../../ui/basics";
import { Grid, type GridColumn } from "../../ui/grid";
import { Cell } from "./cells";
import type { LogColumn } from "./columns";
import { loadPage, loadTotals, type LogRow, needsTotals, type Page, type TraceTotals } from "./queries";
import { type LogsState, questionOf } from "./state";

export type Density = "compact" | "normal" | "tall";
export const density = remembered<Density>("logs.density", "compact");
const widths = remembered<Record<string, number>>("logs.widths", {});

const ROW_HEIGHT: Record<Density, number> = { compact: 29, normal: 38, tall: 74 };
const LIVE_MS = 2000;

export interface Listing {
  rows: LogRow[];
  totals: Map<string, TraceTotals>;
  isLoading: boolean;
  isComplete: boolean;
  error: unknown;
  more: () => void;
  reload: () => void;
}

interface Pages {
  of: string;
  rows: LogRow[];
  totals: Map<string, TraceTotals>;
  isComplete: boolean;
  /** False while more rows may come in between those that are shown. */
  isSettled: boolean;
  error?: unknown;
}

const NOTHING: Pages = { of: "", rows: [], totals: new Map(), isComplete: false, isSettled: false };

/** The rows of the state's question, page after page. */
export function useListing(state: LogsState, columns: LogColumn[]): Listing {
  const question = `${questionOf(state)} ${columns.map((column) => column.id).join()}`;
  const [pages, setPages] = useState<Pages>(NOTHING);
  const [isLoading, setLoading] = useState(true);
  const [round, setRound] = useState(0);
  const running = useRef<AbortController | null>(null);
  const latest = useRef({ state, pages });
  latest.current = { state, pages };

  const load = async (isMore: boolean) => {
    running.current?.abort();
    const abort = (running.current = new AbortController());
    setLoading(true);
    const old = isMore ? latest.current.pages : { ...NOTHING, of: question };
    const last = isMore ? old.rows.at(-1) : undefined;
    const show = ({ rows, isComplete }: Page, isSettled: boolean) => {
      setPages({ of: question, rows: [...old.rows, ...rows], totals: old.totals, isComplete, isSettled });
      setLoading(false);
    };
    try {
      const found = await loadPage(state, columns, last ? { created: last.created, spanId: last.span_id } : null, abort.signal, (roots) => show(roots, false));
      show(found, true);
      if (!found.rows.length || !needsTotals(state, columns)) return;
      const totals = await loadTotals(state, found.rows, abort.signal);
      setPages((now) => (now.of === question ? { ...now, totals: new Map([...now.totals, ...totals]) } : now));
    } catch (error) {
      if (isAbort(error)) return;
      setLoading(false);
      setPages((now) => ({ ...now, of: question, error, ...(isMore ? {} : { rows: [] }) }));
    }
  };

  useEffect(() => {
    void load(false);
    return () => running.current?.abort();
  }, [question, round]);

  useEffect(() => {
    if (!state.isLive) return;
    const timer = setInterval(async () => {
      const abort = new AbortController();
      try {
        const { state: asked } = latest.current;
        const { rows: fresh } = await loadPage({ ...asked, range: readRange(asked.rangeText) }, columns, null, abort.signal, () => undefined);
        const totals = fresh.length && needsTotals(state, columns) ? await loadTotals(state, fresh, abort.signal) : new Map();
        setPages((now) => (now.of === question ? merged(now, fresh, totals, asked.shape) : now));
      } catch {
        // The next round says it if it lasts.
      }
    }, LIVE_MS);
    return () => clearInterval(timer);
  }, [question, state.isLive]);

  return {
    rows: pages.rows,
    totals: pages.totals,
    isLoading: isLoading || pages.of !== question,
    isComplete: pages.isComplete && pages.of === question,
    error: pages.of === question ? pages.error : undefined,
    more: () => void (!isLoading && pages.isSettled && !pages.isComplete && pages.of === question && !pages.error && load(true)),
    reload: () => setRound((n) => n + 1),
  };
}

/** New rows on top; rows that changed are replaced. */
function merged(pages: Pages, fresh: LogRow[], totals: Map<string, TraceTotals>, shape: LogsState["shape"]): Pages {
  // A root that came takes the place of the span that stood in for it.
  const idOf = (row: LogRow) => (shape === "traces" ? row.trace_id : row.span_id);
  const ids = new Set(fresh.map(idOf));
  return { ...pages, error: undefined, rows: [...fresh, ...pages.rows.filter((row) => !ids.has(idOf(row)))], totals: new Map([...pages.totals, ...totals]) };
}

interface ListProps {
  state: LogsState;
  columns: LogColumn[];
  listing: Listing;
  selected: ReadonlySet<string>;
  onSelect: (ids: ReadonlySet<string>) => void;
  onOpen: (row: LogRow) => void;
  onFilter: (condition: string) => void;
}

export function LogList({ state, columns, listing, selected, onSelect, onOpen, onFilter }: ListProps) {
  const { rows } = listing;
  const toggle = (row: LogRow) => {
    const next = new Set(selected);
    if (!next.delete(row.span_id)) next.add(row.span_id);
    onSelect(next);
  };
  const isAll = rows.length > 0 && rows.every((row) => selected.has(row.span_id));
  const check: GridColumn<LogRow> = {
    id: "select",
    title: <input type="checkbox" aria-label="Select all loaded rows" checked={isAll} onChange={() => onSelect(new Set(isAll ? [] : rows.map((row) => row.span_id)))} />,
    width: 34,
    isPinned: true,
    cell: (row) => <input type="checkbox" aria-label="Select row" checked={selected.has(row.span_id)} onChange={() => toggle(row)} />,
  };
  const shown = [...columns.filter((column) => state.pinned.includes(column.id)), ...columns.filter((column) => !state.pinned.includes(column.id))];
  const numbers = new Set(["duration", "number", "cost", "count"]);
  const grid = shown.map((column): GridColumn<LogRow> => {
    const at = columns.indexOf(column);
    return {
      id: column.id,
      title: <span class="ellipsis">{column.title}</span>,
      width: widths.value[column.id] ?? (state.pinned.includes(column.id) ? column.width || 240 : column.width),
      isPinned: state.pinned.includes(column.id),
      hasChips: column.kind === "scores" || column.kind === "tags",
      ...(numbers.has(column.kind) ? { align: "right" as const } : {}),
      cell: (row) => <Cell column={column} row={row} value={row.values[at]} totals={listing.totals.get(row.trace_id)} onFilter={onFilter} />,
    };
  });
  return (
    <Grid
      label={state.shape === "traces" ? "Traces" : "Spans"}
      columns={[check, ...grid]}
      rows={rows}
      rowHeight={ROW_HEIGHT[density.value]}
      keyOf={(row) => (state.shape === "traces" ? row.trace_id : row.span_id)}
      openKey={state.traceId ? (state.shape === "traces" ? state.traceId : state.spanId) : undefined}
      onOpen={onOpen}
      selected={state.shape === "traces" ? new Set(rows.filter((row) => selected.has(row.span_id)).map((row) => row.trace_id)) : selected}
      onSelect={toggle}
      onResize={(id, width) => (widths.value = { ...widths.value, [id]: width })}
      onEnd={listing.more}
      footer={<Footer listing={listing} isFilterWrong={blame(listing.error, state.filters) !== null} />}
    />
  );
}

function Footer({ listing, isFilterWrong }: { listing: Listing; isFilterWrong: boolean }) {
  if (listing.error) return isFilterWrong ? null : <ErrorBox what="These rows could not be read" error={listing.error} onRetry={listing.reload} />;
  if (listing.isLoading && listing.rows.length) return <div class="list-end"><Spinner /></div>;
  return listing.isComplete && listing.rows.length > 20 ? <div class="list-end hint">That is all in this range of time.</div> : null;
}
