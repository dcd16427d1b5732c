// The project's experiments with their means, and how these moved from run to run.
import type { ComponentChildren } from "preact";
import { useMemo, useState } from "preact/hooks";
import { ago, counted, dollars, duration, parseTime, whole } from "../../lib/format";
import { useKey } from "../../lib/keys";
import { useLoaded } from "../../lib/load";
import { addressOf, go, place, setQuery } from "../../lib/router";
import { Button, Empty, ErrorBox, Spinner } from "../../ui/basics";
import { Grid, type GridColumn } from "../../ui/grid";
import { Icon } from "../../ui/icons";
import { loadRuns, type Run } from "./runs";
import { Trend } from "./trend";
import { direction, signed } from "./words";
import { score } from "../../lib/format";

const MAX_SCORE_COLUMNS = 6;
const SCORE = { unit: "" };

export function ExperimentList({ tabs }: { tabs: ComponentChildren }) {
  const { project, query } = place.value;
  const search = query.get("q") ?? "";
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const found = useLoaded(project, (signal) => loadRuns(project, signal));
  const shown = useMemo(() => (found.data ?? []).filter((run) => `${run.name} ${run.branch} ${run.dataset} ${JSON.stringify(run.metadata)}`.toLowerCase().includes(search.toLowerCase())), [found.data, search]);
  const scores = [...new Set(shown.flatMap((run) => Object.keys(run.scores)))].sort().slice(0, MAX_SCORE_COLUMNS);
  const toggle = (run: Run) => setChosen((old) => (old.has(run.name) ? new Set([...old].filter((name) => name !== run.name)) : new Set([...old, run.name])));
  const compareChosen = () => {
    // The newest first: it is compared with the oldest.
    const names = shown.filter((run) => chosen.has(run.name)).map((run) => run.name);
    if (names[0]) go(addressOf(`experiments/${names[0]}`, { with: names.slice(1) }));
  };
  useKey("c", "Compare the selected", compareChosen, chosen.size > 0);
  return (
    <div class="experiments column">
      <header class="page-head">
        <h1>Experiments</h1>
        {tabs}
        <span class="hint total">{found.data && counted(shown.length, "run")}</span>
        <span class="grow" />
        <label class="search-field"><Icon name="search" size={14} /><input type="search" aria-label="Find experiments" placeholder="Name, branch, …" value={search} onInput={(event) => setQuery({ q: event.currentTarget.value || null }, { replace: true })} /></label>
        <Button kind="primary" disabled={!chosen.size} onClick={compareChosen}>{chosen.size > 1 ? `Compare ${chosen.size}` : "Compare"}</Button>
      </header>
      {found.error !== undefined && <ErrorBox what="The experiments could not be read" error={found.error} onRetry={found.reload} />}
      {!found.data && found.isLoading && <div class="page-loading"><Spinner /></div>}
      {found.data?.length === 0 && <NoExperiments />}
      {shown.length > 0 && (
        <>
          {shown.length > 1 && <Trend runs={shown} scores={scores} />}
          <div class="fill"><Grid label="Experiments" columns={columnsFor(scores, shown, chosen, toggle)} rows={shown} rowHeight={44} keyOf={(run) => run.id} selected={new Set(shown.filter((run) => chosen.has(run.name)).map((run) => run.id))} onSelect={toggle} onOpen={(run) => go(addressOf(`experiments/${run.name}`))} /></div>
        </>
      )}
      {found.data && found.data.length > 0 && !shown.length && <Empty icon="search" title="No experiment has this text"><p><Button onClick={() => setQuery({ q: null })}>All experiments</Button></p></Empty>}
    </div>
  );
}

function columnsFor(scores: string[], runs: Run[], chosen: ReadonlySet<string>, toggle: (run: Run) => void): GridColumn<Run>[] {
  return [
    { id: "select", title: "", width: 34, isPinned: true, cell: (run) => <input type="checkbox" aria-label={`Select ${run.name}`} checked={chosen.has(run.name)} onChange={() => toggle(run)} /> },
    { id: "name", title: "Name", width: 0, cell: (run) => <span class="two-lines"><a class="ellipsis" href={addressOf(`experiments/${run.name}`)}>{run.name}</a><span class="hint ellipsis">{[run.branch, run.commit.slice(0, 7)].filter(Boolean).join(" @ ")}</span></span> },
    { id: "created", title: "Created", width: 92, cell: (run) => <time>{ago(parseTime(run.created))}</time> },
    ...scores.map((name): GridColumn<Run> => ({ id: `score ${name}`, title: <span class="ellipsis" title={name}>{name}</span>, width: 122, align: "right", cell: (run, at) => <Mean name={name} run={run} before={runs.slice(at + 1).find((one) => one.dataset === run.dataset && name in one.scores)} /> })),
    { id: "dataset", title: "Dataset", width: 130, cell: (run) => (run.dataset ? <a class="ellipsis" href={addressOf(`datasets/${run.dataset}`)}>{run.dataset}</a> : <span class="hint">none</span>) },
    { id: "cases", title: "Trials", width: 70, align: "right", cell: (run) => <span class="number">{whole(run.trials)}</span> },
    { id: "errors", title: "Errors", width: 70, align: "right", cell: (run) => <span class={`number${run.errors ? " bad" : ""}`}>{run.errors ? whole(run.errors) : ""}</span> },
    { id: "duration", title: "Duration", width: 84, align: "right", cell: (run) => <span class="number">{duration(run.duration)}</span> },
    { id: "cost", title: "Cost", width: 84, align: "right", cell: (run) => <span class="number">{dollars(run.cost)}</span> },
  ];
}

/** A mean, and what it is above that of the run before it over the same dataset. */
function Mean({ name, run, before }: { name: string; run: Run; before: Run | undefined }) {
  const value = run.scores[name];
  if (value === undefined) return null;
  const change = before && value - before.scores[name]!;
  return (
    <span class="number">
      {score(value)} {change !== undefined && <span class={`delta ${direction(false, change)}`} title={`against ${before!.name}`}>{signed(SCORE, true, change)}</span>}
    </span>
  );
}

function NoExperiments() {
  return (
    <Empty icon="experiments" title="No experiment yet">
      <p>An experiment is a permanent record of how your code did over a dataset. Save this as <code>answers_eval.py</code>:</p>
      <pre class="code">{`from spanloop import Eval

Eval("support", data=[{"input": "2 + 2", "expected": "4"}],
     task=lambda input: str(eval(input)),
     scores=[lambda output, expected: output == expected])`}</pre>
      <p>and run it: <code>spanloop eval answers_eval.py</code></p>
    </Empty>
  );
}
