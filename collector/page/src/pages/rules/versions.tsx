// Every change of a rule: when, by whom, what was before and what is after.
import { moment, parseTime } from "../../lib/format";
import { useLoaded } from "../../lib/load";
import { ErrorBox, Spinner } from "../../ui/basics";
import { LongText, parseJson } from "../../ui/json";
import { loadChanges, type Rule, type RuleChange } from "./api";

export function Versions({ rule, version }: { rule: Rule; version: number }) {
  const found = useLoaded(`${rule.project} ${rule.name} ${version}`, (signal) => loadChanges(rule, signal));
  if (found.error !== undefined) return <ErrorBox what="The versions could not be read" error={found.error} onRetry={found.reload} />;
  if (!found.data) return <div class="page-loading"><Spinner /></div>;
  return <ol class="rule-versions" aria-label="Versions">{found.data.map((change) => <Version key={change.version} change={change} />)}</ol>;
}

function Version({ change }: { change: RuleChange }) {
  const fields = Object.entries(parseJson(change.changed || "{}") as Record<string, [unknown, unknown]>);
  return (
    <li class="row-diff">
      <header><strong>Version {change.version}</strong> {change.action} <span class="hint">{moment(parseTime(change.time))}, by {change.actor}</span></header>
      {fields.map(([name, [before, after]]) => (
        <div class="diff-field" key={name}>
          <span class="hint">{name.replaceAll("_", " ")}</span>
          <div class="text-diff"><del><LongText text={shown(before)} /></del> <ins><LongText text={shown(after)} /></ins></div>
        </div>
      ))}
    </li>
  );
}

function shown(value: unknown): string {
  return typeof value === "string" ? value || "(empty)" : (JSON.stringify(value) ?? "");
}
