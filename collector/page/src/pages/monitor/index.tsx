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
import { BY_PROJECT, BY_TAG, loadPoints, loadScores, loadTotals, type MonitorState, OTHERS, type Point, type ScorePoint, type Subject, subjectFilter, widthOf } from "./queries";
import { bucketsOf, groupNames, scoreNames, scoreSeries, seriesOf } from "./series";

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

const MAX_SCORES = 8;

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
  const nameless = (title: string) => (state.groupBy ? "" : title);
  const one = (spec: ChartSpec) => seriesOf(rows, times, names, spec.value, nameless(spec.title));
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
        {state.groupBy && names.length > 0 && <Legend names={names} />}
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
              <TimeChart {...common} title="Tokens" kind="bar" series={state.groupBy ? seriesOf(rows, times, names, (point) => point.prompt + point.completion, "") : TOKENS.flatMap((spec) => seriesOf(rows, times, names, spec.value, spec.title))} format={count} onPick={pick("tokens > 0")} />
              {!state.groupBy && <Legend names={TOKENS.map((spec) => spec.title)} />}
            </Panel>
            {rows.some((point) => point.first_token !== null) && (
              <Panel title="Time to first token" hint="p50" isLoading={isLoading}>
                <TimeChart {...common} title="Time to first token" series={seriesOf(rows, times, names, (point) => point.first_token, nameless("p50"))} format={duration} isDuration onPick={pick("mapContains(metrics, 'time_to_first_token')")} />
              </Panel>
            )}
            {scores.data !== undefined && scores.data.length > 0 && <ScorePanels state={state} points={scores.data} groups={names} times={times} bucket={width} isLoading={scores.isLoading} />}
          </div>
        )}
      </div>
    </div>
  );
}

function Panel({ title, hint, isLoading, children }: { title: string; hint?: string; isLoading: boolean; children: preact.ComponentChildren }) {
  return (
    <section class={`panel${isLoading ? " loading" : ""}`} aria-label={title}>
      <header><h3 class="ellipsis" title={title}>{title}</h3><span class="hint">{hint}</span></header>
      {children}
    </section>
  );
}

interface ScoreProps {
  state: MonitorState;
  points: ScorePoint[];
  /** In the order in which the other charts have them. */
  groups: string[];
  times: number[];
  bucket: number;
  isLoading: boolean;
}

/** All scores in one chart; split, a chart for each score with a line for each group. */
function ScorePanels({ state, points, groups, ...common }: ScoreProps) {
  const pick = (name: string, group: string, from: number, to: number) => {
    const { inProject, filter } = behindGroup(state, group);
    const filters = [...new Set([`mapContains(scores, ${text(name)})`, filter, ...state.filters])].filter(Boolean);
    go(addressOf("logs", { v: "spans", t: writeRange(from, to), f: filters, c: ["created", "name", "input", "output", `sql:scores[${text(name)}]`] }, inProject));
  };
  if (!state.groupBy) return <ScorePanel {...common} title="Scores" series={scoreSeries(points, common.times, "name", scoreNames(points))} onPick={(from, to, one) => pick(one.name, OTHERS, from, to)} />;
  return (
    <>
      {scoreNames(points).slice(0, MAX_SCORES).map((name) => (
        <ScorePanel key={name} {...common} title={`Score ${name}`} series={scoreSeries(points.filter((point) => point.name === name), common.times, "group", groups)} onPick={(from, to, one) => pick(name, one.name, from, to)} />
      ))}
    </>
  );
}

interface ScorePanelProps extends Omit<ScoreProps, "state" | "points" | "groups"> {
  title: string;
  series: Series[];
  onPick: (from: number, to: number, series: Series) => void;
}

function ScorePanel({ title, series, times, bucket, isLoading, onPick }: ScorePanelProps) {
  return (
    <Panel title={title} hint="mean, with the band of 95%" isLoading={isLoading}>
      <TimeChart title={title} times={times} bucket={bucket} series={series} format={score} max={1} onPick={onPick} />
      <Legend names={series.map((one) => one.name)} isShown={(name) => series.some((one) => one.name === name && one.values.some((value) => value !== null))} />
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

const GROUPS: [string, string][] = [["Model", "model"], ["Name", "name"], ["Type", "type"], ["Tag", BY_TAG], ["Project", BY_PROJECT], ["Environment", "metadata['environment']"], ["User", "metadata['user_id']"]];

/** The address of the rows that a point of a chart was counted from. */
function rowsBehind(state: MonitorState, from: number, to: number, filter: string | undefined, series: Series): string {
  const group = behindGroup(state, series.name);
  // Tokens and cost of traces are those of their calls.
  const subject = filter && state.subject === "traces" && filter !== "error != ''" ? "llm" : state.subject;
  const filters = [...new Set([subjectFilter(subject), filter ?? "", group.filter, ...state.filters])].filter(Boolean);
  return addressOf("logs", { v: "spans", t: writeRange(from, to), f: filters }, group.inProject);
}

/** Where the rows of one line are, and what tells them from the others. */
function behindGroup({ project, groupBy }: MonitorState, value: string): { inProject: string; filter: string } {
  if (groupBy === "" || value === OTHERS) return { inProject: project, filter: "" };
  if (groupBy === BY_PROJECT) return { inProject: value, filter: "" };
  if (groupBy === BY_TAG) return { inProject: project, filter: value ? `has(tags, ${text(value)})` : "empty(tags)" };
  return { inProject: project, filter: `toString(${groupBy}) = ${text(value)}` };
}
