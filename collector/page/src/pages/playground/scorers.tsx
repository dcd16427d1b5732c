// The scorers of every output: those that the collector knows by name, and those of the project's rules.
import { useState } from "preact/hooks";
import { useLoaded } from "../../lib/load";
import { Button } from "../../ui/basics";
import { pretty } from "../../ui/json";
import { type KnownScorer, listScorers } from "../../lib/scorers";
import { listRuleScorers, type NamedScorer } from "./api";
import { change, config, type ScorerChoice } from "./config";

/** What a scorer wants to be told, to start from. */
const OPTIONS: Record<string, unknown> = {
  contains: { text: "thank you" },
  not_contains: { text: "as an AI" },
  matches: { pattern: "\\d{4}" },
  has_keys: { keys: ["answer"] },
  length_between: { max_characters: 400 },
  judge: { model: "gpt-4o-mini", prompt: "Question: {{input}}\nAnswer: {{output}}\nDoes the answer help?", choices: { yes: 1, partly: 0.5, no: 0 } },
};

const setAll = (scorers: ScorerChoice[]) => change({ scorers });

export function ScorersPanel({ project }: { project: string }) {
  const { scorers } = config.value;
  const known = useLoaded("scorers", listScorers).data ?? [];
  const ofRules = useLoaded(project, (signal) => listRuleScorers(project, signal)).data ?? [];
  const set = (at: number, changes: Partial<ScorerChoice>) => setAll(scorers.map((one, place) => (place === at ? { ...one, ...changes } : one)));
  return (
    <section class="bench-panel" aria-label="Scorers">
      <header>
        <h2>Scorers</h2>
        <span class="grow" />
        <AddScorer known={known} ofRules={ofRules} />
      </header>
      {scorers.length === 0 && <p class="hint">Each output gets a score from 0 to 1 from every scorer here.</p>}
      {scorers.map((one, at) => (
        <ScorerLine key={at} scorer={one} description={known.find(({ use }) => use === one.use)?.description ?? ""} onChange={(changes) => set(at, changes)} onRemove={() => setAll(scorers.filter((_, place) => place !== at))} />
      ))}
    </section>
  );
}

function AddScorer({ known, ofRules }: { known: KnownScorer[]; ofRules: NamedScorer[] }) {
  const add = (scorer: ScorerChoice) => setAll([...config.value.scorers, { ...scorer, name: freeName(scorer) }]);
  const choose = (event: Event) => {
    const field = event.currentTarget as HTMLSelectElement;
    const chosen = field.value;
    field.value = "";
    const ofRule = chosen.startsWith("rule ") ? ofRules[Number(chosen.slice(5))] : undefined;
    if (ofRule) add({ use: ofRule.scorer.use, name: ofRule.scorer.name, options: ofRule.scorer.options === undefined ? "" : pretty(ofRule.scorer.options) });
    else add({ use: chosen === "module" ? "my_scorers:is_polite" : chosen, name: "", options: OPTIONS[chosen] ? pretty(OPTIONS[chosen]) : "" });
  };
  return (
    <select class="add-scorer" aria-label="Add a scorer" value="" onChange={choose}>
      <option value="" disabled>Add…</option>
      {ofRules.length > 0 && <optgroup label="Of rules">{ofRules.map(({ rule, scorer }, at) => <option key={at} value={`rule ${at}`}>{scorer.name} ({rule})</option>)}</optgroup>}
      <optgroup label="By name">{known.map(({ use, description }) => <option key={use} value={use} title={description}>{use}</option>)}</optgroup>
      <optgroup label="Your own"><option value="module">module:function</option></optgroup>
    </select>
  );
}

/** A name that no other scorer has; empty where the scorer's own will do. */
function freeName({ use, name }: ScorerChoice): string {
  const taken = new Set(config.value.scorers.map(nameOf));
  const own = name || ownName(use);
  if (!taken.has(own)) return name;
  for (let number = 2; ; number++) if (!taken.has(`${own} ${number}`)) return `${own} ${number}`;
}

const ownName = (use: string) => use.slice(use.lastIndexOf(":") + 1).replace(/^autoevals\./, "");

export const nameOf = ({ use, name }: ScorerChoice) => name || ownName(use);

function ScorerLine({ scorer, description, onChange, onRemove }: { scorer: ScorerChoice; description: string; onChange: (changes: Partial<ScorerChoice>) => void; onRemove: () => void }) {
  const name = nameOf(scorer);
  const isOwn = scorer.use.includes(":");
  const [isOpen] = useState(scorer.options !== "" || isOwn);
  return (
    <details class="scorer-line" open={isOpen}>
      <summary title={description}>
        <span class="ellipsis grow">{name}</span>
        <Button kind="quiet" icon="close" label={`Remove ${name}`} onClick={(event) => (event.preventDefault(), onRemove())} />
      </summary>
      <div class="scorer-fields">
        {description && <p class="hint">{description}</p>}
        {isOwn && <label>Module and function, of those in score.modules<input value={scorer.use} spellcheck={false} onInput={(event) => onChange({ use: event.currentTarget.value })} /></label>}
        <label>Name of its scores<input value={scorer.name} placeholder={ownName(scorer.use)} onInput={(event) => onChange({ name: event.currentTarget.value })} /></label>
        <label>Options, as JSON<textarea rows={1} spellcheck={false} value={scorer.options} placeholder="{}" onInput={(event) => onChange({ options: event.currentTarget.value })} /></label>
      </div>
    </details>
  );
}
