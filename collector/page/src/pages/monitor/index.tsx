// Monitor: how production is doing over time, and one click to the rows behind a point.
import { useMemo, useState } from "preact/hooks";
import { count, dollars, duration, score, whole } from "../../lib/format";
import { useKey } from "../../lib/keys";
import { useLoaded } from "../../lib/load";
import { readRange, writeRange } from "../../lib/range";
import { addressOf, go, place, setQuery } from "../../lib/router";
import { blame, text } from "../../lib/sql";
import { Button, Empty, ErrorBox, Segmented } from "../../ui/basics";
import { Legend, type Series, TimeChart } from "../../ui/charts";
import { GroupMenu } from "../../ui/groupmenu";
import { TimeRange } from "../../ui/timerange";
import { FilterBar } from "../logs/filterbar";
import { BY_PROJECT, loadPoints, loadScores, loadTotals, type MonitorState, type Point, type Subject, subjectFilter, widthOf } from "./queries";
import { bucketsOf, groupNames, scoreSeries, seriesOf } from "./series";

function readState(): MonitorState {
  const { query, project } = place.value;
  const subject = query.get("of");
  const rangeText = query.get("t");
  return {
    project,
    rangeText,
    range: readRange(rangeText),
    subject: subject === "llm" || subject === "spans" ? subject : "traces",
    groupBy: query.get("g") ?? "",
    filters: query.getAll("f"),
  };
}

interface ChartSpec {
  title: string;
  kind: "line" | "bar";
  value: (point: Point) => number | null;
  format: (value: number) => string;
  isBad?: boolean;
  /** Condition of the rows behind it. */
  filter?: string;
}

const CHARTS: ChartSpec[] = [
  { title: "Requests", kind: "bar", value: (point) => point.count, format: count },
  { title: "Errors", kind: "bar", value: (point) => point.errors, format: count, filter: "error != ''", isBad: true },
  { title: "Error rate", kind: "line", value: (point) => (point.count ? point.errors / point.count : null), format: score, filter: "error != ''", isBad: true },
  { title: "Cost", kind: "bar", value: (point) => point.cost, format: (value) => dollars(value) || "$0", filter: "cost > 0" },
];

const LATENCY: ChartSpec[] = [
  { title: "p50", kind: "line", value: (point) => point.p50, format: duration },
  { title: "p95", kind: "line", value: (point) => point.p95, format: duration },
  { title: "p99", kind: "line", value: (point) => point.p99, format: duration },
];

const TOKENS: ChartSpec[] = [
  { title: "input tokens", kind: "bar", value: (point) => point.prompt, format: count },
  { title: "output tokens", kind: "bar", value: (point) => point.completion, format: count },
];

export default function Monitor() {
  const at = place.value;
  const [round, setRound] = useState(0);
  const state = useMemo(readState, [at, round]);
  const question = JSON.stringify([state.project, state.rangeText, state.subject, state.groupBy, state.filters, round]);
  const points = useLoaded(question, (signal) => loadPoints(state, signal));
  const scores = useLoaded(question, (signal) => loadScores(state, signal));
  const totals = useLoaded(question, (signal) => loadTotals(state, signal));
  useKey("r", "Ask again", () => setRound((n) => n + 1));
  const width = widthOf(state);
  const times = bucketsOf(state.range.from, state.range.to, width);
  const rows = points.data ?? [];
  const names = groupNames(rows);
  const one = (spec: ChartSpec) => seriesOf(rows, times, names, spec.value, spec.title);
  const pick = (filter?: string) => (from: number, to: number, series: Series) => go(rowsBehind(state, from, to, filter, series));
  const common = { times, bucket: width };
  const isLoading = points.isLoading;
  return (
    <div class="monitor">
      <header class="page-head">
        <h1>Monitor</h1>
        <Segmented<Subject> label="Count" value={state.subject} onChange={(subject) => setQuery({ of: subject === "traces" ? null : subject })} options={[["traces", "Traces"], ["llm", "Model calls"], ["spans", "All spans"]]} />
        <span class="grow" />
        <GroupMenu value={state.groupBy} label="Split by" none="One line" choices={GROUPS} />
        <Button icon="refresh" label="Ask again (r)" onClick={() => setRound((n) => n + 1)} />
        <TimeRange value={state.rangeText} onChange={(t) => setQuery({ t })} />
      </header>
      <div class="filter-line">
        <FilterBar state={{ filters: state.filters, search: "" }} error={points.error} hasSearch={false} />
      </div>
      <div class="monitor-body">
        <Tiles totals={totals.data} />
        {points.error !== undefined && !blame(points.error, state.filters) && <ErrorBox what="The numbers could not be read" error={points.error} onRetry={points.reload} />}
        {state.groupBy && names.length > 0 && <Legend names={names.map((name) => name || "(none)")} />}
        {points.data?.length === 0 && <Empty icon="monitor" title="No rows in this range of time"><p>Choose a longer range, or count all spans.</p></Empty>}
        {rows.length > 0 && (
          <div class="panels">
            {CHARTS.map((spec) => (
              <Panel key={spec.title} title={spec.title} isLoading={isLoading}>
                <TimeChart {...common} title={spec.title} kind={spec.kind} series={one(spec)} format={spec.format} isBad={spec.isBad ?? false} onPick={pick(spec.filter)} />
              </Panel>
            ))}
            <Panel title={state.groupBy ? "Latency, p95" : "Latency"} isLoading={isLoading}>
              <TimeChart {...common} title="Latency" series={state.groupBy ? one(LATENCY[1]!) : LATENCY.flatMap((spec) => seriesOf(rows, times, names, spec.value, spec.title))} format={duration} isDuration onPick={pick()} />
              {!state.groupBy && <Legend names={LATENCY.map((spec) => spec.title)} />}
            </Panel>
            <Panel title="Tokens" hint={state.groupBy ? "input and output" : ""} isLoading={isLoading}>
              <TimeChart {...common} title="Tokens" kind="bar" series={state.groupBy ? seriesOf(rows, times, names, (point) => point.prompt + point.completion, "tokens") : TOKENS.flatMap((spec) => seriesOf(rows, times, names, spec.value, spec.title))} format={count} onPick={pick("tokens > 0")} />
              {!state.groupBy && <Legend names={TOKENS.map((spec) => spec.title)} />}
            </Panel>
            {rows.some((point) => point.first_token !== null) && (
              <Panel title="Time to first token" hint="p50" isLoading={isLoading}>
                <TimeChart {...common} title="Time to first token" series={seriesOf(rows, times, names, (point) => point.first_token, "p50")} format={duration} isDuration onPick={pick("mapContains(metrics, 'time_to_first_token')")} />
              </Panel>
            )}
            {scores.data !== undefined && scores.data.length > 0 && <ScorePanel state={state} series={scoreSeries(scores.data, times)} times={times} bucket={width} isLoading={scores.isLoading} />}
          </div>
        )}
      </div>
    </div>
  );
}

function Panel({ title, hint, isLoading, children }: { title: string; hint?: string; isLoading: boolean; children: preact.ComponentChildren }) {
  return (
    <section class={`panel${isLoading ? " loading" : ""}`} aria-label={title}>
      <header><h3>{title}</h3><span class="hint">{hint}</span></header>
      {children}
    </section>
  );
}

function ScorePanel({ state, series, times, bucket, isLoading }: { state: MonitorState; series: Series[]; times: number[]; bucket: number; isLoading: boolean }) {
  const pick = (from: number, to: number, one: Series) => go(addressOf("logs", { v: "spans", t: writeRange(from, to), f: [...state.filters, `mapContains(scores, ${text(one.name)})`], c: ["created", "name", "input", "output", `sql:scores[${text(one.name)}]`] }));
  return (
    <Panel title="Scores" hint="mean, with the band of 95%" isLoading={isLoading}>
      <TimeChart title="Scores" times={times} bucket={bucket} series={series} format={score} max={1} onPick={pick} />
      <Legend names={series.map((one) => one.name)} />
    </Panel>
  );
}

function Tiles({ totals }: { totals: Awaited<ReturnType<typeof loadTotals>> }) {
  const shown: [string, string][] = totals ? [
    ["Requests", whole(totals.count)],
    ["Error rate", totals.count ? score(totals.errors / totals.count) : "–"],
    ["p50", totals.count ? duration(totals.p50) : "–"],
    ["p95", totals.count ? duration(totals.p95) : "–"],
    ["Tokens", count(totals.tokens)],
    ["Cost", dollars(totals.cost) || "$0"],
  ] : ["Requests", "Error rate", "p50", "p95", "Tokens", "Cost"].map((name) => [name, "…"]);
  return (
    <div class="tiles">
      {shown.map(([name, value]) => <div class="tile" key={name}><span class="hint">{name}</span><strong>{value}</strong></div>)}
    </div>
  );
}

const GROUPS: [string, string][] = [["Model", "model"], ["Name", "name"], ["Type", "type"], ["Tag", "arrayStringConcat(tags, ', ')"], ["Project", BY_PROJECT], ["Environment", "metadata['environment']"], ["User", "metadata['user_id']"]];

/** The address of the rows that a point of a chart was counted from. */
function rowsBehind(state: MonitorState, from: number, to: number, filter: string | undefined, series: Series): string {
  const isGroup = state.groupBy !== "" && series.name !== "(others)";
  const inProject = isGroup && state.groupBy === BY_PROJECT ? series.name : state.project;
  const group = isGroup && state.groupBy !== BY_PROJECT ? `toString(${state.groupBy}) = ${text(series.name)}` : "";
  // Tokens and cost of traces are those of their calls.
  const subject = filter && state.subject === "traces" && filter !== "error != ''" ? "llm" : state.subject;
  const filters = [subjectFilter(subject), filter ?? "", group, ...state.filters].filter(Boolean);
  return addressOf("logs", { v: "spans", t: writeRange(from, to), f: filters }, inProject);
}
