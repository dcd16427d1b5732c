// The scorers of a rule: which, with what options, under what limits.
import { useLoaded } from "../../lib/load";
import { AUTOEVALS, listScorers } from "../../lib/scorers";
import { Button, Field } from "../../ui/basics";
import { JUDGE, type JudgeDraft, type Limits, newScorer, type ScorerDraft } from "./draft";
import { Fault } from "./form";
import { NumberField } from "./scopefields";

/** What comes with spanloop: name, what its score says, options to begin with. */
export const BUILTINS: [string, string, string][] = [
  ["is_json", "1 where the output is JSON", ""],
  ["exact_match", "1 where output and expected are the same", ""],
  ["similarity", "how much of the output is as expected, by edits", ""],
  ["contains", "the part of some texts that the output contains", '{"text": ["sorry"]}'],
  ["not_contains", "1 where the output contains none of some texts", '{"text": ["as an AI"]}'],
  ["matches", "1 where a regular expression is found", '{"pattern": "^\\\\w+"}'],
  ["has_keys", "the part of some keys that the output has", '{"keys": ["answer"]}'],
  ["length_between", "1 where the output's length is within bounds", '{"max_characters": 600}'],
  ["numeric_difference", "how near a number is to the expected one", ""],
  ["no_error", "1 where no span of the trace failed", ""],
];

type Kind = "builtin" | "judge" | "autoevals" | "code";

function kindOf(use: string): Kind {
  if (use === JUDGE) return "judge";
  if (use.startsWith(AUTOEVALS)) return "autoevals";
  return BUILTINS.some(([name]) => name === use) ? "builtin" : "code";
}

interface Props {
  scorers: ScorerDraft[];
  error: unknown;
  onChange: (scorers: ScorerDraft[]) => void;
}

export function ScorerFields({ scorers, error, onChange }: Props) {
  const set = (at: number, part: Partial<ScorerDraft>) => onChange(scorers.map((one, index) => (index === at ? { ...one, ...part } : one)));
  return (
    <>
      <Fault error={error} field="rule.scorers" />
      {scorers.map((scorer, at) => (
        <section class="scorer" key={at} aria-label={`Scorer ${at + 1}`}>
          <div class="fields-row scorer-head">
            <Field label="Scorer">
              {(id) => (
                <select id={id} value={kindOf(scorer.use) === "builtin" ? scorer.use : kindOf(scorer.use)} onChange={(event) => set(at, choose(event.currentTarget.value))}>
                  <optgroup label="A model decides"><option value="judge">LLM judge, with a prompt of your own</option><option value="autoevals">From the autoevals library</option></optgroup>
                  <optgroup label="Built in">{BUILTINS.map(([name, words]) => <option key={name} value={name}>{name}: {words}</option>)}</optgroup>
                  <optgroup label="Your own"><option value="code">Function of a module</option></optgroup>
                </select>
              )}
            </Field>
            <Field label="Called">{(id) => <input id={id} placeholder={ownName(scorer.use)} value={scorer.name} onInput={(event) => set(at, { name: event.currentTarget.value })} />}</Field>
            {scorers.length > 1 && <Button kind="quiet" icon="trash" label={`Remove scorer ${at + 1}`} onClick={() => onChange(scorers.filter((_, index) => index !== at))} />}
          </div>
          <Use scorer={scorer} set={(part) => set(at, part)} />
          <Fault error={error} field={`rule.scorers[${at}]`} isWhole />
          <LimitFields limits={scorer.limits} onChange={(limits) => set(at, { limits })} />
        </section>
      ))}
      <div class="row-start"><Button icon="plus" onClick={() => onChange([...scorers, newScorer(JUDGE)])}>Add a scorer</Button></div>
    </>
  );
}

function choose(choice: string): Partial<ScorerDraft> {
  if (choice === "autoevals") return { use: `${AUTOEVALS}Factuality`, options: "" };
  if (choice === "code") return { use: "my_scorers:is_polite", options: "" };
  return { use: choice, options: BUILTINS.find(([name]) => name === choice)?.[2] ?? "" };
}

function ownName(use: string): string {
  return use.split(":").at(-1)!.replace(AUTOEVALS, "");
}

function Use({ scorer, set }: { scorer: ScorerDraft; set: (part: Partial<ScorerDraft>) => void }) {
  const kind = kindOf(scorer.use);
  return (
    <>
      {kind === "autoevals" && <AutoevalsClass use={scorer.use} onChange={(use) => set({ use })} />}
      {kind === "code" && <Field label="Module and function" hint="The module is named where scorers run: spanloop serve --score-modules my_scorers.py">{(id) => <input id={id} value={scorer.use} spellcheck={false} onInput={(event) => set({ use: event.currentTarget.value })} />}</Field>}
      {kind === "judge" && <JudgeFields judge={scorer.judge} onChange={(judge) => set({ judge })} />}
      <Field label={kind === "judge" ? "Further options, a JSON object" : "Options, a JSON object"}>{(id) => <input id={id} class="mono" spellcheck={false} placeholder="none" value={scorer.options} onInput={(event) => set({ options: event.currentTarget.value })} />}</Field>
    </>
  );
}

/** One of the classes that the collector has; where it lacks the library, any by its name. */
function AutoevalsClass({ use, onChange }: { use: string; onChange: (use: string) => void }) {
  const found = useLoaded("scorers", listScorers);
  const classes = found.data?.filter((one) => one.use.startsWith(AUTOEVALS)) ?? [];
  const words = classes.find((one) => one.use === use)?.description;
  if (!classes.length && !found.isLoading) {
    const hint = 'The collector has no autoevals, so it cannot list its classes; scorers need it where they run: pip install "spanloop[autoevals]"';
    return <Field label="Class of autoevals" hint={hint}>{(id) => <input id={id} value={use} spellcheck={false} onInput={(event) => onChange(AUTOEVALS + event.currentTarget.value.replace(AUTOEVALS, ""))} />}</Field>;
  }
  return (
    <Field label="Class of autoevals" {...(words ? { hint: words } : {})}>
      {(id) => (
        <select id={id} value={use} onChange={(event) => onChange(event.currentTarget.value)}>
          {!words && <option value={use}>{use}</option>}
          {classes.map((one) => <option key={one.use} value={one.use}>{one.use.slice(AUTOEVALS.length)}</option>)}
        </select>
      )}
    </Field>
  );
}

function JudgeFields({ judge, onChange }: { judge: JudgeDraft; onChange: (judge: JudgeDraft) => void }) {
  const set = (part: Partial<JudgeDraft>) => onChange({ ...judge, ...part });
  const setChoice = (at: number, choice: [string, string]) => set({ choices: judge.choices.map((one, index) => (index === at ? choice : one)) });
  return (
    <>
      <Field label="Prompt" hint="{{input}}, {{output.answer}}, {{expected}}, {{metadata.user}} and {{trace}} are filled in from the row.">{(id) => <textarea id={id} rows={Math.min(14, judge.prompt.split("\n").length + 1)} value={judge.prompt} onInput={(event) => set({ prompt: event.currentTarget.value })} />}</Field>
      <Field label="Model" hint="Asked with OPENAI_API_KEY and OPENAI_BASE_URL of the process that scores.">{(id) => <input id={id} value={judge.model} onInput={(event) => set({ model: event.currentTarget.value })} />}</Field>
      <div class="field">
        <span class="field-label">Its choices, and the score that each stands for</span>
        {judge.choices.map(([choice, value], at) => (
          <div class="row-start choice" key={at}>
            <input aria-label={`Choice ${at + 1}`} value={choice} onInput={(event) => setChoice(at, [event.currentTarget.value, value])} />
            <input aria-label={`Score of choice ${at + 1}`} type="number" min={0} max={1} step="any" value={value} onInput={(event) => setChoice(at, [choice, event.currentTarget.value])} />
            <Button kind="quiet" icon="close" label={`Remove choice ${at + 1}`} disabled={judge.choices.length <= 2} onClick={() => set({ choices: judge.choices.filter((_, index) => index !== at) })} />
          </div>
        ))}
        <div><Button icon="plus" onClick={() => set({ choices: [...judge.choices, ["", "0"]] })}>Add a choice</Button></div>
      </div>
    </>
  );
}

const LIMITS: [keyof Limits, string, string][] = [
  ["concurrency", "Rows at once", "0 takes 1 for a built-in and 4 for others."],
  ["timeout_seconds", "Seconds for a call", "0 takes 60; a call that takes longer is killed."],
  ["calls_per_minute", "Calls a minute", "0 means no limit."],
  ["max_attempts", "Tries", "0 takes 4."],
  ["memory_mib", "Memory in MiB", "0 takes 1024."],
];

function LimitFields({ limits, onChange }: { limits: Limits; onChange: (limits: Limits) => void }) {
  return (
    <details>
      <summary>Limits</summary>
      <div class="fields-row">{LIMITS.map(([name, label, hint]) => <NumberField key={name} label={label} hint={hint} value={limits[name]} onChange={(value) => onChange({ ...limits, [name]: value })} />)}</div>
    </details>
  );
}
