// A trace beside the list it was opened from, or on the whole page.
import { useEffect, useMemo, useState } from "preact/hooks";
import { count, counted, dollars, duration, whole } from "../../lib/format";
import { useKey } from "../../lib/keys";
import { useLoaded } from "../../lib/load";
import { place, setQuery } from "../../lib/router";
import { remembered } from "../../lib/session";
import { Button, CopyButton, Empty, ErrorBox, Segmented, Spinner } from "../../ui/basics";
import { Detail } from "./detail";
import { TraceLogs } from "./events";
import { loadLogLines, loadSpans, MAX_SPANS, type Relation, type SpanLine } from "./load";
import { Thread } from "./thread";
import { buildTree, type Tree } from "./tree";
import { Waterfall } from "./waterfall";

interface Props {
  project: string;
  traceId: string;
  /** The span to look at; empty for the root. */
  spanId: string;
  relation?: Relation;
  onFilter?: (condition: string) => void;
  onColumn?: (expression: string) => void;
}

const VIEWS = ["tree", "thread", "logs"] as const;
type View = (typeof VIEWS)[number];

/** How this person looks at traces, unless the address says otherwise. */
const usualView = remembered<View>("trace.view", "tree");
/** What the address says about the open trace. */
export const TRACE_QUERY = ["r", "s", "full", "as", "part"];
const RUNNING_MS = 2000;
/** What was just written shows in SQL a moment later. */
const SETTLE_MS = [400, 1000, 2500, 6000, 12_000];

export function TracePanel(props: Props) {
  const isFull = place.value.query.get("full") === "1";
  const close = () => setQuery(Object.fromEntries(TRACE_QUERY.map((name) => [name, null])));
  useKey("Escape", "Close the trace", close);
  useKey("z", "Trace on the whole page", () => setQuery({ full: isFull ? null : "1" }, { replace: true }));
  return (
    <aside class={`trace-panel${isFull ? " full" : ""}`} aria-label="Trace">
      <TraceView key={`${props.project} ${props.traceId}`} {...props} isFull={isFull} onClose={close} />
    </aside>
  );
}

function TraceView(props: Props & { isFull: boolean; onClose: () => void }) {
  const { project, traceId } = props;
  const relation = props.relation ?? "logs";
  const [round, setRound] = useState(0);
  const [search, setSearch] = useState("");
  const [onlyErrors, setOnlyErrors] = useState(false);
  const spans = useLoaded(`${project} ${traceId} ${round}`, (signal) => loadSpans(project, traceId, relation, signal));
  const tree = useMemo(() => spans.data && buildTree(spans.data), [spans.data]);
  const isRunning = spans.data?.some((line) => line.isRunning && Date.now() - line.start < 3_600_000) ?? false;
  const logLines = useLoaded(relation === "logs" ? `${project} ${traceId} ${isRunning ? round : ""}` : null, (signal) => loadLogLines(project, traceId, signal));
  useEffect(() => {
    if (!isRunning) return;
    const timer = setInterval(() => setRound((n) => n + 1), RUNNING_MS);
    return () => clearInterval(timer);
  }, [isRunning]);
  const changed = () => SETTLE_MS.forEach((ms) => setTimeout(() => setRound((n) => n + 1), ms));
  const select = (spanId: string) => setQuery({ s: spanId }, { replace: true });
  const view = VIEWS.find((one) => one === place.value.query.get("as")) ?? usualView.value;
  const show = (next: View) => {
    usualView.value = next;
    setQuery({ as: next }, { replace: true });
  };
  const selected = tree?.byId.get(props.spanId) ?? tree?.roots[0];
  const scoreSpans = useMemo(() => spans.data?.filter((line) => line.type === "score") ?? [], [spans.data]);
  return (
    <>
      <header class="trace-head">
        <Button kind="quiet" icon="close" label="Close (Esc)" onClick={props.onClose} />
        <Button kind="quiet" icon="expand" label="Whole page (z)" isOn={props.isFull} onClick={() => setQuery({ full: props.isFull ? null : "1" }, { replace: true })} />
        <h2 class="ellipsis">{tree?.roots[0]?.line.name ?? "Trace"}</h2>
        {tree && <Totals tree={tree} lines={spans.data!} isRunning={isRunning} />}
        <span class="grow" />
        <CopyButton label="Copy the trace's id" text={() => traceId} />
        <CopyButton icon="link" label="Copy the address" text={() => location.href} />
      </header>
      {spans.error !== undefined && <ErrorBox what="The trace could not be read" error={spans.error} onRetry={spans.reload} />}
      {!spans.data && spans.isLoading && <div class="page-loading"><Spinner /></div>}
      {spans.data?.length === 0 && <Empty icon="search" title="There is no such trace in this project"><p>It may have been dropped by retention, or its spans may still be on their way.</p></Empty>}
      {tree && selected && (
        <div class="trace-body">
          <section class="trace-left">
            <div class="trace-tools">
              <Segmented label="Show the trace as" value={view} onChange={show} options={[["tree", "Timeline"], ["thread", "Thread"], ["logs", `Logs${logLines.data?.length ? ` ${count(logLines.data.length)}` : ""}`]]} />
              {view === "tree" && <input type="search" aria-label="Find spans" placeholder="Find spans" value={search} onInput={(event) => setSearch(event.currentTarget.value)} />}
              {view === "tree" && <Button icon="alert" label="Only errors" isOn={onlyErrors} onClick={() => setOnlyErrors(!onlyErrors)} />}
            </div>
            {view === "tree" && <Waterfall tree={tree} selected={selected.line.spanId} onSelect={select} search={search} onlyErrors={onlyErrors} />}
            {view === "thread" && <Thread project={project} traceId={traceId} relation={relation} round={isRunning ? round : 0} onSelect={select} />}
            {view === "logs" && <TraceLogs lines={logLines.data ?? []} tree={tree} onSelect={select} />}
            {spans.data!.length === MAX_SPANS && <p class="hint">Only the first {counted(MAX_SPANS, "span")} are shown.</p>}
          </section>
          <Detail project={project} traceId={traceId} line={selected.line} relation={relation} round={round} logLines={logLines.data ?? []} scoreSpans={scoreSpans} onChanged={changed} onSelect={select} onFilter={props.onFilter} onColumn={props.onColumn} />
        </div>
      )}
    </>
  );
}

function Totals({ tree, lines, isRunning }: { tree: Tree; lines: SpanLine[]; isRunning: boolean }) {
  const calls = lines.filter((line) => line.type === "llm");
  const tokens = calls.reduce((sum, line) => sum + line.tokens, 0);
  const cost = calls.reduce((sum, line) => sum + line.cost, 0);
  const errors = lines.filter((line) => line.error).length;
  return (
    <span class="totals">
      <span>{duration((tree.end - tree.start) / 1000)}</span>
      <span>{counted(lines.length, "span")}</span>
      {tokens > 0 && <span>{count(tokens)} tokens</span>}
      {cost > 0 && <span>{dollars(cost)}</span>}
      {errors > 0 && <span class="bad">{whole(errors)} {errors === 1 ? "error" : "errors"}</span>}
      {isRunning && <span class="running-text">running</span>}
    </span>
  );
}

