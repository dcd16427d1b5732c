// The newest results of a rule, and its failures with the way to try them again.
import { useState } from "preact/hooks";
import { ago, dollars, duration, parseTime, score, whole } from "../../lib/format";
import { useLoaded } from "../../lib/load";
import { addressOf, go, setQuery } from "../../lib/router";
import { Button, Empty, ErrorBox, Spinner, toast, toastError } from "../../ui/basics";
import { Grid, type GridColumn } from "../../ui/grid";
import { grade } from "../logs/cells";
import { latestScores, type Rule, type RuleScore, startBackfill, useRefresh } from "./api";

const REFRESH_MS = 5000;

const WHEN: GridColumn<RuleScore> = { id: "scored", title: "When", width: 100, cell: (row) => <time>{ago(parseTime(row.scored))}</time> };
const ROW: GridColumn<RuleScore> = { id: "row", title: "Row", width: 170, cell: (row) => <a class="ellipsis" href={traceOf(row)}>{row.span_name || "(no name)"}</a> };
const NAME: GridColumn<RuleScore> = { id: "name", title: "Score", width: 130, cell: (row) => <span class="ellipsis">{row.name}</span> };
const REASON: GridColumn<RuleScore> = { id: "reason", title: "Reason", width: 0, cell: (row) => <span class="preview" title={row.reason}>{row.reason}</span> };
const VALUE: GridColumn<RuleScore> = { id: "value", title: "", width: 80, align: "right", cell: (row) => <Value row={row} /> };
const LAG: GridColumn<RuleScore> = { id: "lag", title: "Lag", width: 80, align: "right", cell: (row) => <span class="number">{row.lag > 0 ? duration(row.lag) : ""}</span> };
const COST: GridColumn<RuleScore> = { id: "cost", title: "Cost", width: 80, align: "right", cell: (row) => <span class="number">{dollars(row.cost)}</span> };
const TRIES: GridColumn<RuleScore> = { id: "attempt", title: "Tries", width: 60, align: "right", cell: (row) => <span class="number">{row.attempt || 1}</span> };

function traceOf(row: RuleScore): string {
  return addressOf("logs", { r: row.trace_id, s: row.span_id, t: "90d" });
}

function Value({ row }: { row: RuleScore }) {
  if (row.status !== "scored" || row.score === null) return <span class={`score ${row.status === "failed" ? "low" : ""}`}>{row.status === "scored" ? "skipped" : row.status}</span>;
  return <span class={`score ${grade(row.score)}`}>{score(row.score)}</span>;
}

function keyOf(row: RuleScore): string {
  return `${row.trace_id} ${row.span_id} ${row.name} ${row.scored}`;
}

export function LatestScores({ project, rule }: { project: string; rule: string }) {
  const found = useLoaded(`${project} ${rule}`, (signal) => latestScores(project, rule, "any", signal));
  useRefresh(found, REFRESH_MS);
  if (found.error !== undefined) return <ErrorBox what="The scores could not be read" error={found.error} onRetry={found.reload} />;
  if (!found.data) return <div class="page-loading"><Spinner /></div>;
  if (!found.data.length) return <Empty icon="score" title="No score yet"><p>Rows are scored once they are finished. For rows of the past, start a <a href="?tab=backfills" onClick={(event) => (event.preventDefault(), setQuery({ tab: "backfills" }))}>backfill</a>.</p></Empty>;
  return <div class="rule-grid"><Grid label="Newest scores" columns={[WHEN, ROW, NAME, VALUE, REASON, LAG, COST]} rows={found.data} rowHeight={36} keyOf={keyOf} onOpen={(row) => go(traceOf(row))} /></div>;
}

export function Failures({ project, rule }: { project: string; rule: Rule }) {
  const found = useLoaded(`${project} ${rule.name}`, (signal) => latestScores(project, rule.name, "failed", signal));
  useRefresh(found, REFRESH_MS);
  const [isBusy, setBusy] = useState(false);
  const again = async () => {
    setBusy(true);
    try {
      await startBackfill(rule, { failed: true });
      toast("The failures are scored again");
      setQuery({ tab: "backfills" });
    } catch (error) {
      toastError("The failures could not be queued", error);
      setBusy(false);
    }
  };
  if (found.error !== undefined) return <ErrorBox what="The failures could not be read" error={found.error} onRetry={found.reload} />;
  if (!found.data) return <div class="page-loading"><Spinner /></div>;
  if (!found.data.length) return <Empty icon="check" title="Nothing failed"><p>A call that fails is tried again, and then kept here with its reason, never as a 0.</p></Empty>;
  return (
    <>
      <div class="row-start rule-tools">
        <Button kind="primary" icon="refresh" disabled={isBusy} onClick={again}>Score the failures again</Button>
        <span class="hint">Every row where this rule failed, not only those shown.</span>
      </div>
      <ul class="reasons" aria-label="Reasons">
        {reasons(found.data).map(([reason, count]) => <li key={reason}><span class="count bad">{whole(count)}</span> <span class="reason">{reason}</span></li>)}
      </ul>
      <div class="rule-grid"><Grid label="Newest failures" columns={[WHEN, ROW, NAME, REASON, TRIES]} rows={found.data} rowHeight={36} keyOf={keyOf} onOpen={(row) => go(traceOf(row))} /></div>
    </>
  );
}

const SHOWN_REASONS = 5;

/** What failed most, with how often. */
function reasons(rows: RuleScore[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const row of rows) counts.set(row.reason, (counts.get(row.reason) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a).slice(0, SHOWN_REASONS);
}
