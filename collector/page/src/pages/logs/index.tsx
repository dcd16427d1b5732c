// Logs: the project's traces and spans, newest first.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { counted } from "../../lib/format";
import { useKey } from "../../lib/keys";
import { useLoaded } from "../../lib/load";
import { writeRange } from "../../lib/range";
import { addressOf, go, place, setQuery } from "../../lib/router";
import { remembered } from "../../lib/session";
import { listViews } from "../../lib/views";
import { Button, Empty, Segmented, Spinner } from "../../ui/basics";
import { ExportMenu, resultFiles } from "../../ui/exportmenu";
import { FirstSteps } from "../../ui/firststeps";
import { GroupMenu } from "../../ui/groupmenu";
import { Histogram } from "../../ui/histogram";
import { Icon } from "../../ui/icons";
import { TimeRange } from "../../ui/timerange";
import { TracePanel } from "../trace/panel";
import { BulkBar } from "./bulk";
import { columnsOf, customColumn } from "./columns";
import { Facets } from "./facets";
import { FilterBar } from "./filterbar";
import { Groups } from "./groups";
import { LogList, useListing } from "./list";
import { ColumnsMenu, GROUPS } from "./menus";
import { asOneCondition, exportSql, loadHistogram, type LogRow, newestRow } from "./queries";
import { type LogsState, questionOf, readState } from "./state";
import { addressQuery, ViewsMenu } from "./views";

const LIVE_COUNT_MS = 10_000;
const showsFacets = remembered("logs.showsFacets", false);

export default function Logs() {
  useDefaultView("logs");
  const at = place.value;
  // A relative range counts from when it was asked for, not from every drawing.
  const [round, setRound] = useState(0);
  const state = useMemo(readState, [at, round]);
  const columns = columnsOf(state.columns, state.shape);
  const listing = useListing(state, columns);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  // The rows come first: counting all of them takes the database longer.
  const listed = useRef<string | null>(null);
  if (!listing.isLoading) listed.current = `${questionOf(state)} ${round}`;
  const histogram = useLoaded(listed.current, (signal) => loadHistogram(state, signal));
  useEffect(() => setSelected(new Set()), [questionOf(state)]);
  const addFilter = (condition: string) => state.filters.includes(condition) || setQuery({ f: [...state.filters, condition] });
  const refresh = () => {
    setRound((n) => n + 1);
    listing.reload();
  };
  useEffect(() => {
    if (!state.isLive) return;
    const timer = setInterval(() => setRound((n) => n + 1), LIVE_COUNT_MS);
    return () => clearInterval(timer);
  }, [state.isLive]);
  useKey("r", "Ask again", refresh);
  useKey("f", "Frequent values", () => (showsFacets.value = !showsFacets.value));
  useKey("t", "Traces or spans", () => setQuery({ v: state.shape === "traces" ? "spans" : null }));
  const open = (row: LogRow) => setQuery({ r: row.trace_id, s: state.shape === "spans" ? row.span_id : null }, { replace: Boolean(state.traceId) });
  const total = histogram.data?.buckets.reduce((sum, bucket) => sum + bucket.count, 0);
  const isEmpty = !listing.isLoading && !listing.rows.length && !listing.error;
  return (
    <div class="logs">
      <header class="page-head">
        <h1>Logs</h1>
        <ViewsMenu page="logs" />
        <Segmented label="Rows are" value={state.shape} onChange={(shape) => setQuery({ v: shape === "traces" ? null : shape })} options={[["traces", "Traces"], ["spans", "Spans"]]} />
        <span class="hint total" aria-live="polite">{total !== undefined && counted(total, state.shape === "traces" ? "trace" : "span")}</span>
        <span class="grow" />
        <GroupMenu value={state.groupBy} label="Group by" none="No groups" choices={GROUPS} />
        <ColumnsMenu state={state} columns={columns} />
        <ExportMenu label="Export what the filters leave" files={resultFiles(exportSql(state, null), `${state.project}-${state.shape}`)}><span class="wide-only">Export</span></ExportMenu>
        <Button icon="live" label="Live: new rows as they arrive" isOn={state.isLive} onClick={() => setQuery({ live: state.isLive ? null : "1" }, { replace: true })} />
        <Button icon="refresh" label="Ask again (r)" onClick={refresh} />
        <TimeRange value={state.rangeText} onChange={(t) => setQuery({ t })} />
      </header>
      <div class="filter-line">
        <Button icon="filter" label="Frequent values (f)" isOn={showsFacets.value} onClick={() => (showsFacets.value = !showsFacets.value)} />
        <FilterBar state={state} error={listing.error} />
        {(state.filters.length > 0 || state.search) && <a class="button plain" href={addressOf("rules", { new: "1", f: asOneCondition(state) })} title="Score rows like these as they come"><Icon name="rules" /><span class="wide-only">Make a rule</span></a>}
      </div>
      <Histogram from={state.range.from} to={state.range.to} bucket={histogram.data?.width ?? 60_000} buckets={histogram.data?.buckets ?? []} isLoading={histogram.isLoading || listing.isLoading} onRange={(from, to) => setQuery({ t: writeRange(from, to) })} />
      <div class="logs-body">
        {showsFacets.value && !listing.error && <Facets state={state} onFilter={addFilter} />}
        <div class="logs-list" aria-busy={listing.isLoading}>
          {state.groupBy ? <Groups state={state} /> : isEmpty ? <NoRows state={state} /> : <LogList state={state} columns={columns} listing={listing} selected={selected} onSelect={setSelected} onOpen={open} onFilter={addFilter} />}
          {listing.isLoading && !listing.rows.length && <div class="page-loading"><Spinner /></div>}
          {selected.size > 0 && <BulkBar state={state} rows={listing.rows.filter((row) => selected.has(row.span_id))} onDone={(isChanged) => (setSelected(new Set()), isChanged && setTimeout(listing.reload, 600))} />}
        </div>
      </div>
      {state.traceId && (
        <TracePanel
          project={state.project}
          traceId={state.traceId}
          spanId={state.spanId}
          onFilter={(condition) => (addFilter(condition), undefined)}
          onColumn={(expression) => setQuery({ c: [...columns.map((column) => column.id), customColumn(expression)] }, { replace: true })}
        />
      )}
    </div>
  );
}

/** Opened without any choice, the page takes the default view: one's own, or everyone's. */
function useDefaultView(page: string): void {
  const { project, query } = place.value;
  useEffect(() => {
    if (query.size) return;
    listViews(project, page).then(
      (views) => {
        const found = views.find((view) => view.is_own_default) ?? views.find((view) => view.is_default);
        if (found && !place.value.query.size && place.value.page === page) go(`${location.pathname}?${addressQuery(found)}`, { replace: true });
      },
      () => undefined,
    );
  }, [project]);
}

function NoRows({ state }: { state: LogsState }) {
  const newest = useLoaded(state.project, (signal) => newestRow(state.project, signal));
  if (!newest.data && newest.isLoading) return <div class="page-loading"><Spinner /></div>;
  if (!newest.data) return <FirstSteps />;
  const isNarrowed = state.filters.length > 0 || state.search !== "";
  const hour = 3_600_000;
  return (
    <Empty icon="search" title={isNarrowed ? "Nothing matches" : "No rows in this range of time"}>
      {isNarrowed && <p>Take a filter away, or look at a longer range of time.</p>}
      <p class="row-center">
        {isNarrowed && <Button onClick={() => setQuery({ f: null, q: null })}>Remove all filters</Button>}
        {(newest.data < state.range.from || newest.data > state.range.to) && <Button kind="primary" onClick={() => setQuery({ t: writeRange(newest.data! - hour, newest.data! + 60_000) })}>Go to the newest rows</Button>}
        {isNarrowed && state.rangeText !== "30d" && <Button onClick={() => setQuery({ t: "30d" })}>Last 30 days</Button>}
      </p>
    </Empty>
  );
}
