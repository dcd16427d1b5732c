// One span: what went in, what came out, what it cost, what was thought of it.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { dollars, duration, moment, number, score, whole } from "../../lib/format";
import { useLoaded } from "../../lib/load";
import { addressOf, place, setQuery } from "../../lib/router";
import { text } from "../../lib/sql";
import { Button, CopyButton, ErrorBox, Spinner, Tabs } from "../../ui/basics";
import { Icon, TypeIcon } from "../../ui/icons";
import { JsonTree, LongText, parseJson } from "../../ui/json";
import { ValueView } from "../../ui/value";
import { grade } from "../logs/cells";
import { EditExpected, FeedbackBar, TagsEditor } from "./edit";
import { Events } from "./events";
import { loadDetail, loadLineage, loadReasons, type LogLine, type Relation, type ScoreReason, type SpanDetail, type SpanLine } from "./load";

interface Props {
  project: string;
  traceId: string;
  line: SpanLine;
  relation: Relation;
  /** Grows when the span may have changed. */
  round: number;
  logLines: LogLine[];
  scoreSpans: SpanLine[];
  onChanged: () => void;
  onSelect: (spanId: string) => void;
  onFilter?: ((condition: string) => void) | undefined;
  onColumn?: ((expression: string) => void) | undefined;
}

const TABS = ["main", "metadata", "events", "lineage", "row"] as const;

export function Detail(props: Props) {
  const { project, traceId, line, relation } = props;
  const tab = TABS.find((one) => one === place.value.query.get("part")) ?? "main";
  const question = `${project} ${traceId} ${line.spanId} ${props.round} ${line.end}`;
  const detail = useLoaded(question, (signal) => loadDetail(project, traceId, line, relation, signal));
  if (detail.error) return <ErrorBox what="The span could not be read" error={detail.error} onRetry={detail.reload} />;
  const span = detail.data?.span_id === line.spanId ? detail.data : undefined;
  const lines = props.logLines.filter((one) => one.span_id === line.spanId);
  const events = span ? span.events.length + lines.length : 0;
  return (
    <div class="detail">
      <header class="detail-head">
        <TypeIcon type={line.type} />
        <h2 class="ellipsis" title={line.name}>{line.name || "(no name)"}</h2>
        <CopyButton label="Copy the span's id" text={() => line.spanId} />
        {line.type === "llm" && <a class="button quiet icon-only" href={addressOf("playground", { from: `${traceId}.${line.spanId}` })} aria-label="Open in the playground" title="Open in the playground"><Icon name="playground" /></a>}
      </header>
      <Facts line={line} span={span} />
      <Tabs label="Parts of the span" value={tab} onChange={(next) => setQuery({ part: next === "main" ? null : next }, { replace: true })} options={[["main", "Input & output"], ["metadata", "Metadata"], ["events", `Events${events ? ` ${events}` : ""}`], ["lineage", "Lineage"], ["row", "Row"]]} />
      <div class="detail-body" key={line.spanId}>
        {!span ? <div class="page-loading"><Spinner /></div> : tab === "main" ? <Main {...props} span={span} /> : tab === "metadata" ? <Metadata span={span} onFilter={props.onFilter} onColumn={props.onColumn} /> : tab === "events" ? <Events span={span} lines={lines} /> : tab === "lineage" ? <Lineage project={project} span={span} /> : <JsonTree value={{ ...span, input: parseJson(span.input), output: parseJson(span.output), expected: parseJson(span.expected) }} depth={1} />}
      </div>
    </div>
  );
}

function Facts({ line, span }: { line: SpanLine; span: SpanDetail | undefined }) {
  const metrics = span?.metrics ?? {};
  const tokens = [["prompt_tokens", "in"], ["completion_tokens", "out"], ["prompt_cached_tokens", "cached"], ["completion_reasoning_tokens", "reasoning"]] as const;
  return (
    <div class="facts">
      <Fact label="Started">{moment(line.start, true)}</Fact>
      <Fact label="Duration">{line.isRunning ? <span class="running-text">running for {duration((Date.now() - line.start) / 1000)}</span> : duration((line.end - line.start) / 1000)}</Fact>
      {metrics["time_to_first_token"] !== undefined && <Fact label="First token">{duration(metrics["time_to_first_token"])}</Fact>}
      {line.model && <Fact label="Model">{line.model}</Fact>}
      {line.tokens > 0 && (
        <Fact label="Tokens">
          {whole(line.tokens)} <span class="hint">{tokens.filter(([key]) => metrics[key]).map(([key, name]) => `${whole(metrics[key]!)} ${name}`).join(", ")}</span>
        </Fact>
      )}
      {line.cost > 0 && <Fact label="Cost">{dollars(line.cost)}</Fact>}
    </div>
  );
}

function Fact({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    <div class="fact">
      <span class="hint">{label}</span>
      <span>{children}</span>
    </div>
  );
}

function Main(props: Props & { span: SpanDetail }) {
  const { span, project } = props;
  return (
    <>
      {span.error && <SpanError span={span} />}
      <FeedbackBar relation={props.relation} project={project} span={span} onChanged={props.onChanged} />
      <ScoreList project={project} span={span} scoreSpans={props.scoreSpans} onSelect={props.onSelect} />
      {span.input !== "" && <ValueView title="Input" text={span.input} />}
      {span.output !== "" && <ValueView title="Output" text={span.output} role="assistant" />}
      <EditExpected project={project} span={span} onChanged={props.onChanged} />
      <TagsEditor project={project} span={span} onChanged={props.onChanged} />
      {span.metadata["comment"] && <p class="comment"><Icon name="chat" size={14} /> {span.metadata["comment"]}</p>}
    </>
  );
}

function SpanError({ span }: { span: SpanDetail }) {
  const stack = span.events.findLast((event) => event.name === "exception")?.attributes["exception.stacktrace"];
  return (
    <section class="span-error" role="alert">
      <h3><Icon name="alert" size={14} /> Error</h3>
      <pre><LongText text={span.error} /></pre>
      {stack && (
        <details>
          <summary>Stack trace</summary>
          <pre>{stack}</pre>
        </details>
      )}
    </section>
  );
}

/** The row's scores, each with the reason that its scorer gave; scores that failed say why. */
function ScoreList({ project, span, scoreSpans, onSelect }: { project: string; span: SpanDetail; scoreSpans: SpanLine[]; onSelect: (spanId: string) => void }) {
  const entries = Object.entries(span.scores);
  const reasons = useLoaded(`${span.trace_id} ${span.span_id} ${entries.length}`, (signal) => loadReasons(project, span.trace_id, span.span_id, signal));
  const failed = reasons.data?.filter((one) => one.status !== "scored") ?? [];
  if (!entries.length && !failed.length) return null;
  return (
    <section class="score-list" aria-label="Scores">
      {entries.map(([name, value]) => {
        const by = scoreSpans.find((line) => name in line.scores || line.name === name);
        const reason = reasons.data?.find((one) => one.name === name && one.reason)?.reason || reasonOf(span, name);
        return (
          <div class="score-line" key={name}>
            <span class="score-meter"><span class={grade(value)} style={{ width: `${Math.max(0, Math.min(1, value)) * 100}%` }} /></span>
            <strong class="number">{score(value)}</strong>
            <span class="grow ellipsis">{name}</span>
            {by && by.spanId !== span.span_id && <button type="button" class="link" onClick={() => onSelect(by.spanId)}>how it was scored</button>}
            {reason && <span class="score-reason">{reason}</span>}
          </div>
        );
      })}
      {failed.map((one) => <UnscoredLine key={one.rule + one.name} score={one} />)}
    </section>
  );
}

function UnscoredLine({ score: one }: { score: ScoreReason }) {
  return (
    <div class="score-line">
      <span class={`score ${one.status === "failed" ? "low" : ""}`}>{one.status}</span>
      <span class="grow ellipsis">{one.name || one.scorer}{one.rule && <span class="hint"> rule {one.rule}</span>}</span>
      {one.reason && <span class="score-reason">{one.reason}</span>}
    </div>
  );
}

function reasonOf(span: SpanDetail, name: string): string {
  for (const key of [`${name}.reason`, `${name}.rationale`, "reason", "rationale"]) {
    if (span.metadata[key]) return span.metadata[key];
  }
  return "";
}

function Metadata({ span, onFilter, onColumn }: { span: SpanDetail; onFilter: Props["onFilter"]; onColumn: Props["onColumn"] }) {
  const [search, setSearch] = useState("");
  const sections: [string, Record<string, string | number>][] = [["metadata", span.metadata], ["metrics", span.metrics], ["resource", span.resource]];
  return (
    <>
      <input type="search" aria-label="Find in metadata" placeholder="Find in metadata" value={search} onInput={(event) => setSearch(event.currentTarget.value)} />
      {sections.map(([map, values]) => {
        const entries = Object.entries(values).filter(([key, value]) => `${key} ${value}`.toLowerCase().includes(search.toLowerCase()));
        if (!entries.length) return null;
        return (
          <section key={map}>
            <h3 class="section-title">{map}</h3>
            <dl class="pairs">
              {entries.map(([key, value]) => (
                <Pair key={key} name={key} value={value} isJson={map === "metadata" && span.metadata_json.includes(key)} expression={`${map}[${text(key)}]`} onFilter={onFilter} onColumn={onColumn} />
              ))}
            </dl>
          </section>
        );
      })}
    </>
  );
}

interface PairProps {
  name: string;
  value: string | number;
  isJson: boolean;
  expression: string;
  onFilter: Props["onFilter"];
  onColumn: Props["onColumn"];
}

/** Metrics that are times, in seconds. */
const MOMENTS = /^metrics\['(start|end)'\]$/;

function Pair({ name, value, isJson, expression, onFilter, onColumn }: PairProps) {
  const condition = `${expression} = ${typeof value === "number" ? value : text(value)}`;
  const shown = typeof value === "number" ? (MOMENTS.test(expression) ? moment(value * 1000, true) : number(value)) : value;
  const parsed = isJson ? parseJson(String(value)) : null;
  return (
    <div class="pair">
      <dt title={name}>{name}</dt>
      <dd>{typeof parsed === "object" && parsed !== null ? <JsonTree value={parsed} depth={1} /> : <LongText text={shown} />}</dd>
      <span class="pair-actions">
        {onFilter && <Button kind="quiet" icon="filter" label={`Only ${condition}; with Shift, all others`} onClick={(event) => onFilter(event.shiftKey ? `NOT (${condition})` : condition)} />}
        {onColumn && <Button kind="quiet" icon="columns" label={`Column of ${name}`} onClick={() => onColumn(expression)} />}
        <CopyButton label={`Copy ${name}`} text={() => String(value)} />
      </span>
    </div>
  );
}

function Lineage({ project, span }: { project: string; span: SpanDetail }) {
  const found = useLoaded(`${project} ${span.id}`, (signal) => loadLineage(project, span.id, signal));
  const { sources = [], uses = [] } = found.data ?? {};
  return (
    <>
      {found.isLoading && <Spinner />}
      {found.error !== undefined && <ErrorBox what="The lineage could not be read" error={found.error} />}
      <h3 class="section-title">Where this row came from</h3>
      {found.data && !sources.length && <p class="hint">From the application itself.</p>}
      <ul class="lineage">{sources.map((step) => <li key={step.from_id}><Stop type={step.from_type} objectId={step.from_object_id} name={step.from_name} id={step.from_id} /></li>)}</ul>
      <h3 class="section-title">What came from this row</h3>
      {found.data && !uses.length && <p class="hint">No row of a dataset or an experiment was made from it yet.</p>}
      <ul class="lineage">{uses.map((step) => <li key={step.to_object_id + step.to_id}><Stop type={step.to_type} objectId={step.to_object_id} name={step.to_name} id={step.to_id} /></li>)}</ul>
      {span.links.length > 0 && <h3 class="section-title">Linked spans</h3>}
      <ul class="lineage">
        {span.links.map((link) => <li key={link.span_id}><a href={addressOf("logs", { r: link.trace_id, s: link.span_id })}>{link.trace_id.slice(0, 12)}… / {link.span_id}</a></li>)}
      </ul>
    </>
  );
}

const PAGE_OF: Record<string, [string, string]> = { dataset: ["datasets", "Dataset"], experiment: ["experiments", "Experiment"] };

/** A row of a dataset, of an experiment or of production, with the way there. */
function Stop({ type, objectId, name, id }: { type: string; objectId: string; name: string; id: string }) {
  const page = PAGE_OF[type];
  if (page) return <><a href={addressOf(`${page[0]}/${name || objectId}`, { row: id })}>{page[1]} {name || objectId}</a> <span class="hint">row {id.slice(0, 24)}</span></>;
  return <><a href={addressOf("logs", { v: "spans", f: `id = ${text(id)}`, t: "90d" })}>Log row</a> <span class="hint">{id}</span></>;
}
