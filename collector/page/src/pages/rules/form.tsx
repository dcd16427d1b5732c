// The form of a rule, beside what the rule would do: it is switched on after a look at that.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { ApiError } from "../../lib/api";
import { leaveField, useKey } from "../../lib/keys";
import { useLoaded } from "../../lib/load";
import { addressOf, go, place } from "../../lib/router";
import { errorPosition, errorReason } from "../../lib/sql";
import { Button, Empty, ErrorBox, Field, Spinner, toast } from "../../ui/basics";
import { Icon } from "../../ui/icons";
import { SqlInput } from "../../ui/sqlinput";
import { findRule, putRule, type Rule } from "./api";
import { BackTestPanel, testedPart, useBackTest } from "./backtest";
import { type Draft, DraftError, draftOf, newDraft, ruleOf } from "./draft";
import { ScopeFields } from "./scopefields";
import { ScorerFields } from "./scorerfields";
import { addressOfRule } from "./words";

export function NewRule() {
  const { project, query } = place.value;
  return <RuleForm project={project} first={newDraft(query.get("f") ?? "")} before={null} title="New rule" back={addressOf("rules")} />;
}

export function EditRule({ named }: { named: string }) {
  const { project, query } = place.value;
  const of = query.has("every") ? "" : project;
  const found = useLoaded(`${of} ${named}`, (signal) => findRule(of, named, signal));
  if (found.error !== undefined) return <ErrorBox what="The rule could not be read" error={found.error} onRetry={found.reload} />;
  if (found.data === undefined) return <div class="page-loading"><Spinner /></div>;
  if (found.data === null) return <NoSuchRule named={named} />;
  const { rule } = found.data;
  return <RuleForm project={of} first={draftOf(rule)} before={rule} title={rule.name} back={addressOfRule(rule)} />;
}

export function NoSuchRule({ named }: { named: string }) {
  return (
    <Empty icon="search" title={`There is no rule ${named} in this project`}>
      <p>It may have been deleted; what it scored stays. <a href={addressOf("rules")}>All rules</a></p>
    </Empty>
  );
}

interface FormProps {
  project: string;
  first: Draft;
  /** The rule as it is stored; null for a new one. */
  before: Rule | null;
  title: string;
  back: string;
}

function RuleForm({ project, first, before, title, back }: FormProps) {
  const [draft, setDraft] = useState(first);
  const [asked, setAsked] = useState<Rule | null>(null);
  const [fault, setFault] = useState<unknown>(undefined);
  const [isBusy, setBusy] = useState(false);
  const test = useBackTest(asked);
  const change = (part: Partial<Draft>) => setDraft({ ...draft, ...part });
  const rule = written(draft, project);
  const isSeen = rule !== null && (isSame(rule, before?.enabled ? before : null) || (test.isShown && isSame(rule, asked)));
  const run = () => {
    try {
      const next = ruleOf(draft, project, false);
      if (JSON.stringify(next) === JSON.stringify(asked)) test.again();
      setAsked(next);
      setFault(undefined);
    } catch (error) {
      setFault(error);
    }
  };
  const save = async (enabled: boolean) => {
    setBusy(true);
    try {
      const made = ruleOf(draft, project, enabled);
      const { outcome } = await putRule(made);
      toast(outcome === "unchanged" ? "Nothing changed" : enabled ? `${made.name} scores from now on` : `${made.name} is saved, and off`);
      go(addressOfRule(made), { replace: true });
    } catch (error) {
      setFault(error);
      setBusy(false);
    }
  };
  useKey("Mod+Enter", "Test the rule", run);
  useKey("Escape", "Leave the field, then the form", () => leaveField() || go(back));
  const error = fault ?? (test.error !== undefined && rule && isSame(rule, asked) ? test.error : undefined);
  return (
    <div class="column rules">
      <header class="page-head">
        <h1 class="ellipsis"><a href={addressOf("rules")}>Rules</a> / {title}</h1>
        <span class="grow" />
        <Button kind={isSeen ? "plain" : "primary"} icon="playground" onClick={run}>Test on past rows</Button>
        <Button kind={isSeen ? "primary" : "plain"} disabled={!isSeen || isBusy} {...(isSeen ? {} : { label: "Test it first: you see what it would do before it is switched on" })} onClick={() => save(true)}>{before?.enabled ? "Save" : "Switch on"}</Button>
        <Button disabled={isBusy || rule === null} onClick={() => save(false)}>{before?.enabled ? "Save and switch off" : "Save, off"}</Button>
      </header>
      <div class="rule-form">
        <form class="rule-fields" onSubmit={(event) => (event.preventDefault(), run())}>
          <General error={error} />
          <Field label="Name">{(id) => <input id={id} required autofocus={!before} disabled={before !== null} placeholder="helpful answers" value={draft.name} onInput={(event) => change({ name: event.currentTarget.value })} />}</Field>
          <Fault error={error} field="rule.name" />
          <Field label="What it is for">{(id) => <input id={id} value={draft.description} onInput={(event) => change({ description: event.currentTarget.value })} />}</Field>
          <fieldset>
            <legend>Which rows</legend>
            <SqlField label="Filter, in SQL over the columns of logs; empty takes every row" hint="type = 'llm' AND error = ''" field="rule.filter" error={error} value={draft.filter} onChange={(filter) => change({ filter })} onSubmit={run} />
            <ScopeFields scope={draft.scope} error={error} onChange={(scope) => change({ scope })} onSubmit={run} />
          </fieldset>
          <Sampling draft={draft} error={error} change={change} onSubmit={run} />
          <fieldset>
            <legend>Scorers</legend>
            <ScorerFields scorers={draft.scorers} error={error} onChange={(scorers) => change({ scorers })} />
          </fieldset>
          <fieldset>
            <legend>Budget</legend>
            <div class="fields-row">
              <Field label="Scores a minute, at most">{(id) => <input id={id} type="number" min={0} placeholder="no limit" value={draft.scores_per_minute} onInput={(event) => change({ scores_per_minute: event.currentTarget.value })} />}</Field>
              <Field label="US dollars a day, at most">{(id) => <input id={id} type="number" min={0} step="any" placeholder="no limit" value={draft.cost_per_day} onInput={(event) => change({ cost_per_day: event.currentTarget.value })} />}</Field>
            </div>
            <p class="hint">What is over waits ten minutes, then is skipped.</p>
            <Fault error={error} field="rule.budget" />
          </fieldset>
          <button type="submit" class="unseen" tabIndex={-1} aria-hidden="true">Test</button>
        </form>
        <BackTestPanel test={test} rule={asked} isInForm />
      </div>
    </div>
  );
}

/** The rule as it is written, or null while a field holds nonsense. */
function written(draft: Draft, project: string): Rule | null {
  try {
    return ruleOf(draft, project, false);
  } catch {
    return null;
  }
}

function isSame(rule: Rule, other: Rule | null): boolean {
  return other !== null && JSON.stringify(testedPart(rule)) === JSON.stringify(testedPart(other));
}

function Sampling({ draft, error, change, onSubmit }: { draft: Draft; error: unknown; change: (part: Partial<Draft>) => void; onSubmit: () => void }) {
  const set = (at: number, part: Partial<Draft["boosts"][number]>) => change({ boosts: draft.boosts.map((boost, index) => (index === at ? { ...boost, ...part } : boost)) });
  return (
    <fieldset>
      <legend>How many of them</legend>
      <Field label="Part of traces, in %" hint="Always the same traces, whole ones.">{(id) => <input id={id} type="number" min={0} max={100} step="any" value={draft.rate} onInput={(event) => change({ rate: event.currentTarget.value })} />}</Field>
      <Fault error={error} field="rule.sampling_rate" />
      {draft.boosts.map((boost, at) => (
        <div class="boost" key={at}>
          <SqlField label={`More where, in SQL (${at + 1})`} hint="scores['thumbs'] = 0" field={`rule.boosts[${at}].filter`} error={error} value={boost.filter} onChange={(filter) => set(at, { filter })} onSubmit={onSubmit} />
          <Field label="then, in %">{(id) => <input id={id} type="number" min={0} max={100} step="any" value={boost.rate} onInput={(event) => set(at, { rate: event.currentTarget.value })} />}</Field>
          <Button kind="quiet" icon="close" label={`Remove condition ${at + 1}`} onClick={() => change({ boosts: draft.boosts.filter((_, index) => index !== at) })} />
          <Fault error={error} field={`rule.boosts[${at}].sampling_rate`} />
        </div>
      ))}
      <div class="row-start"><Button icon="plus" onClick={() => change({ boosts: [...draft.boosts, { filter: "", rate: "100" }] })}>Sample more where…</Button></div>
    </fieldset>
  );
}

interface SqlFieldProps {
  label: string;
  hint: string;
  /** As the API names it. */
  field: string;
  error: unknown;
  value: string;
  onChange: (text: string) => void;
  onSubmit: () => void;
}

/** A condition or value in SQL, with what is wrong with it at its place. */
export function SqlField({ label, hint, field, error, value, onChange, onSubmit }: SqlFieldProps) {
  const isMine = fieldOf(error) === field;
  return (
    <div class="field grow">
      <span class="field-label">{label}</span>
      <div class={`filter-field${isMine ? " wrong" : ""}`}><SqlInput isOneLine label={label} hint={hint} value={value} onChange={onChange} onSubmit={onSubmit} errorAt={isMine ? errorPosition(error, value) : null} /></div>
      <Fault error={error} field={field} />
    </div>
  );
}

/** What is wrong with a field, or with something in it. */
export function Fault({ error, field, isWhole = false }: { error: unknown; field: string; isWhole?: boolean }): ComponentChildren {
  const named = fieldOf(error);
  const isMine = named === field || (isWhole && named.startsWith(`${field}.`));
  return isMine ? <p class="field-error" role="alert"><Icon name="alert" size={14} /> {faultText(error)}</p> : null;
}

function fieldOf(error: unknown): string {
  return error instanceof ApiError || error instanceof DraftError ? error.field : "";
}

/** The reason without the name of the field that it stands beside. */
function faultText(error: unknown): string {
  const field = fieldOf(error);
  return errorReason(error).replace(field ? `${field}: ` : "", "");
}

const PLACED = /^rule\.(name|filter|sampling_rate|scorers|boosts|scope|budget)\b/;

/** What is wrong with no field in particular. */
function General({ error }: { error: unknown }) {
  return error === undefined || PLACED.test(fieldOf(error)) ? null : <ErrorBox what="The rule was not taken" error={error} />;
}
