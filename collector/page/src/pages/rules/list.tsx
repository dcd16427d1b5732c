// The rules with their live state, and the switch of each.
import { useState } from "preact/hooks";
import { counted, dollars, duration, score, whole } from "../../lib/format";
import { useKey } from "../../lib/keys";
import { useLoaded } from "../../lib/load";
import { addressOf, go, place } from "../../lib/router";
import { Button, Empty, ErrorBox, Spinner } from "../../ui/basics";
import { Grid, type GridColumn } from "../../ui/grid";
import { listRules, type RuleStatus, useRefresh } from "./api";
import { RuleSwitch } from "./switch";
import { addressOfRule } from "./words";

const REFRESH_MS = 4000;

function columns(onChanged: () => void): GridColumn<RuleStatus>[] {
  const numbers = (["matched", "sampled", "scored", "skipped", "failed", "waiting"] as const).map((id) => ({
    id,
    title: id[0]!.toUpperCase() + id.slice(1),
    width: 78,
    align: "right" as const,
    cell: (row: RuleStatus) => <span class={`number${id === "failed" && row.failed ? " bad" : ""}`}>{whole(row[id])}</span>,
  }));
  return [
    { id: "on", title: "On", width: 56, isPinned: true, cell: (row) => <RuleSwitch status={row} onChanged={onChanged} /> },
    { id: "name", title: "Name", width: 190, isPinned: true, cell: (row) => <Name row={row} /> },
    { id: "rate", title: "Rate", width: 70, align: "right", cell: (row) => <span class="number">{score(row.rule.sampling_rate)}</span> },
    ...numbers,
    { id: "p50", title: "Lag p50", width: 86, align: "right", cell: (row) => <span class="number">{lag(row, "lag_p50")}</span> },
    { id: "p95", title: "Lag p95", width: 86, align: "right", cell: (row) => <span class="number">{lag(row, "lag_p95")}</span> },
    { id: "cost", title: "Cost", width: 70, align: "right", cell: (row) => <span class="number">{dollars(row.cost)}</span> },
    { id: "scorers", title: "Scorers", width: 190, cell: (row) => row.rule.scorers.map((scorer) => <span class="tag" key={scorer.name}>{scorer.name}</span>) },
    { id: "filter", title: "Filter", width: 0, cell: (row) => <code class="preview">{row.rule.filter || "every row"}</code> },
  ];
}

/** How long after its arrival a row was scored; empty where none was. */
export function lag(row: RuleStatus, which: "lag_p50" | "lag_p95"): string {
  const seconds = row[which];
  return row.scored && seconds !== null ? duration(seconds) : "";
}

function Name({ row }: { row: RuleStatus }) {
  return (
    <>
      <a class="ellipsis" href={addressOfRule(row.rule)}>{row.rule.name}</a>
      {!row.rule.project && <span class="tag" title="Scores rows of every project">every project</span>}
      {row.failure && <span class="score low" title={row.failure}>fails</span>}
    </>
  );
}

export function RuleList() {
  const { project } = place.value;
  const found = useLoaded(project, (signal) => listRules(project, signal));
  useRefresh(found, REFRESH_MS);
  const [isFirst, setFirst] = useState(true);
  if (isFirst && found.data) setFirst(false);
  const create = () => go(addressOf("rules", { new: "1" }));
  useKey("n", "New rule", create);
  return (
    <div class="column rules">
      <header class="page-head">
        <h1>Rules</h1>
        <span class="hint total">{found.data && counted(found.data.length, "rule")}</span>
        <span class="grow" />
        <Button kind="primary" icon="plus" onClick={create}>New rule</Button>
      </header>
      {found.error !== undefined && <ErrorBox what="The rules could not be read" error={found.error} onRetry={found.reload} />}
      {isFirst && found.error === undefined && <div class="page-loading"><Spinner /></div>}
      {found.data && found.data.length > 0 && <div class="fill"><Grid label="Rules" columns={columns(found.reload)} rows={found.data} rowHeight={38} keyOf={(row) => `${row.rule.project} ${row.rule.name}`} onOpen={(row) => go(addressOfRule(row.rule))} /></div>}
      {found.data?.length === 0 && <NoRules />}
    </div>
  );
}

function NoRules() {
  return (
    <Empty icon="rules" title="Nothing is scored yet">
      <p>A rule scores production as it runs: which rows, how many of them, and by what. The application never waits for it.</p>
      <p>Before a rule is switched on you see what it would have matched, what that would cost, and ten rows with their scores. From a file it works as well:</p>
      <pre class="code">{`rules:
  - name: answers
    filter: type = 'llm' AND error = ''
    sampling_rate: 0.1
    scorers: [is_json, autoevals.Factuality]`}</pre>
      <p><code>spanloop rules apply rules.yaml</code></p>
      <a class="button primary" href={addressOf("rules", { new: "1" })}>Make the first rule</a>
    </Empty>
  );
}
