// One rule: what it says, what it did, what failed, past rows put through it, its versions.
import { useState } from "preact/hooks";
import { counted, dollars, moment, parseTime, whole } from "../../lib/format";
import { useKey } from "../../lib/keys";
import { useLoaded } from "../../lib/load";
import { addressOf, go, place, setQuery } from "../../lib/router";
import { Button, ErrorBox, Spinner, Tabs } from "../../ui/basics";
import { DeleteDialog } from "../../ui/deletedialog";
import { JsonTree } from "../../ui/json";
import { deleteRule, findRule, type RuleStatus, useRefresh } from "./api";
import { Backfills } from "./backfills";
import { Estimates } from "./estimates";
import { NoSuchRule } from "./form";
import { lag } from "./list";
import { Failures, LatestScores } from "./scores";
import { RuleSwitch } from "./switch";
import { Versions } from "./versions";
import { addressOfRule, budgetWords, rateWords, scopeWords } from "./words";

const REFRESH_MS = 4000;
const TABS = ["overview", "scores", "failures", "backfills", "versions"] as const;
type Tab = (typeof TABS)[number];

export function OneRule({ named }: { named: string }) {
  const { project, query } = place.value;
  const of = query.has("every") ? "" : project;
  const found = useLoaded(`${of} ${named}`, (signal) => findRule(of, named, signal));
  useRefresh(found, REFRESH_MS);
  if (found.data === undefined && found.error !== undefined) return <ErrorBox what="The rule could not be read" error={found.error} onRetry={found.reload} />;
  if (found.data === undefined) return <div class="page-loading"><Spinner /></div>;
  if (found.data === null) return <NoSuchRule named={named} />;
  return <Opened status={found.data} reload={found.reload} />;
}

function Opened({ status, reload }: { status: RuleStatus; reload: () => void }) {
  const { project, query } = place.value;
  const { rule } = status;
  const [isDeleting, setDeleting] = useState(false);
  const asked = query.get("tab") as Tab | null;
  const tab = asked && TABS.includes(asked) ? asked : "overview";
  const edit = () => go(addressOfRule(rule, { edit: "1" }));
  useKey("e", "Edit the rule", edit);
  useKey("Escape", "All rules", () => go(addressOf("rules")));
  const failures = status.failed + status.backfill_failed;
  const titles: Record<Tab, string> = { overview: "Overview", scores: "Scores", failures: `Failures${failures ? ` ${whole(failures)}` : ""}`, backfills: "Backfills", versions: "Versions" };
  return (
    <div class="column rules">
      <header class="page-head">
        <h1 class="ellipsis"><a href={addressOf("rules")}>Rules</a> / {rule.name}</h1>
        <RuleSwitch status={status} onChanged={reload} hasWords />
        {!rule.project && <span class="tag">every project</span>}
        <span class="grow" />
        <Button icon="edit" onClick={edit}>Edit</Button>
        <Button kind="danger" icon="trash" label="Delete the rule" onClick={() => setDeleting(true)} />
      </header>
      {status.failure && <ErrorBox what="The rule does not work" error={status.failure} />}
      <Tabs label="Parts of the rule" value={tab} onChange={(next) => setQuery({ tab: next === "overview" ? null : next })} options={TABS.map((one) => [one, titles[one]] as const)} />
      <div class="rule-body">
        {tab === "overview" && <Overview status={status} project={project} />}
        {tab === "scores" && <LatestScores project={project} rule={rule.name} />}
        {tab === "failures" && <Failures project={project} rule={rule} />}
        {tab === "backfills" && <Backfills rule={rule} />}
        {tab === "versions" && <Versions rule={rule} version={status.version} />}
      </div>
      {isDeleting && <DeleteDialog name={rule.name} words="It scores nothing any more. The scores that it gave stay." onDelete={() => deleteRule(rule)} onGone={() => go(addressOf("rules"))} onClose={() => setDeleting(false)} />}
    </div>
  );
}

function Overview({ status, project }: { status: RuleStatus; project: string }) {
  const facts: [string, string, string][] = [
    ["Matched", whole(status.matched), "Rows that the filter let through as they came; those of backfills are counted apart in all of this"],
    ["Sampled", whole(status.sampled), "Rows that were chosen to be scored"],
    ["Scored", whole(status.scored), "Calls of scorers that gave a score"],
    ["Skipped", whole(status.skipped), "Calls that had nothing to score, or came after the budget"],
    ["Failed", whole(status.failed), "Calls that failed for good"],
    ["Waiting", whole(status.waiting), "Calls that are queued"],
    ["Lag p50", lag(status, "lag_p50") || "–", "From the end of the row to its score"],
    ["Lag p95", lag(status, "lag_p95") || "–", "From the end of the row to its score"],
    ["Backfilled", whole(status.backfilled), "Calls for rows of backfills that are done"],
    ["Backfills failed", whole(status.backfill_failed), "Calls for rows of backfills that failed for good"],
    ["Backfills waiting", whole(status.backfill_waiting), "Calls for rows of backfills that are queued"],
    ["Cost", dollars(status.cost) || "$0", "What models asked for, so far"],
  ];
  return (
    <>
      <div class="tiles">{facts.map(([name, value, title]) => <div class="tile" key={name} title={title}><span class="hint">{name}</span><strong class={name === "Failed" && status.failed ? "bad" : ""}>{value}</strong></div>)}</div>
      <Estimates project={project} rule={status.rule.name} round={status.scored + status.backfilled} />
      <Definition status={status} />
    </>
  );
}

function Definition({ status }: { status: RuleStatus }) {
  const { rule } = status;
  return (
    <section class="panel" aria-label="Definition">
      <header><h3>What it says</h3><span class="hint">version {status.version}, {moment(parseTime(status.changed))}{status.changed_by && `, by ${status.changed_by}`}</span></header>
      {rule.description && <p>{rule.description}</p>}
      <dl class="rule-words">
        <div><dt>Rows</dt><dd>{rule.filter ? <code>{rule.filter}</code> : "all"}</dd></div>
        <div><dt>Scored is</dt><dd>{scopeWords(rule.scope)}</dd></div>
        <div><dt>Sample</dt><dd>{rateWords(rule.sampling_rate, rule.boosts)}</dd></div>
        <div><dt>Budget</dt><dd>{budgetWords(rule.budget)}</dd></div>
        {rule.scorers.map((scorer) => (
          <div key={scorer.name}>
            <dt>{scorer.name}</dt>
            <dd>
              <code>{scorer.use}</code>
              {Object.keys(scorer.options).length > 0 && <JsonTree value={scorer.options} depth={1} />}
              <span class="hint">{scorer.concurrency} at once, {scorer.timeout_seconds} s each, {counted(scorer.max_attempts, "attempt")}{scorer.calls_per_minute > 0 && `, ${counted(scorer.calls_per_minute, "call")} a minute`}</span>
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
