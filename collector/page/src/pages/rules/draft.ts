// A rule while it is written: what the fields hold, made from a rule and made into one.
import type { Boost, Rule, RuleScorer, Scope } from "./api";

export interface ScorerDraft {
  use: string;
  name: string;
  /** JSON text of the options; of a judge, of those that have no field of their own. */
  options: string;
  judge: JudgeDraft;
  limits: Limits;
}

export type Limits = Pick<RuleScorer, "concurrency" | "timeout_seconds" | "memory_mib" | "calls_per_minute" | "max_attempts">;

export interface JudgeDraft {
  prompt: string;
  model: string;
  choices: [string, string][];
}

export interface Draft {
  name: string;
  description: string;
  filter: string;
  /** In per cent. */
  rate: string;
  boosts: { filter: string; rate: string }[];
  scope: Omit<Scope, "span_names"> & { span_names: string };
  scorers: ScorerDraft[];
  scores_per_minute: string;
  cost_per_day: string;
}

/** What is wrong with a draft, by field as the API names it. */
export class DraftError extends Error {
  constructor(
    readonly field: string,
    message: string,
  ) {
    super(message);
  }
}

export const JUDGE = "judge";
const NO_LIMITS: Limits = { concurrency: 0, timeout_seconds: 0, memory_mib: 0, calls_per_minute: 0, max_attempts: 0 };
const FIRST_JUDGE: JudgeDraft = {
  prompt: "Question: {{input}}\nAnswer: {{output}}\n\nDoes the answer help?",
  model: "gpt-4o-mini",
  choices: [["yes", "1"], ["partly", "0.5"], ["no", "0"]],
};
const FIRST_SCOPE: Draft["scope"] = { type: "span", root_spans: true, span_names: "", idle_seconds: 30, group_by: "", placement: "first", interval_seconds: 0, max_traces: 16 };

export function newScorer(use: string, options = ""): ScorerDraft {
  return { use, name: "", options, judge: FIRST_JUDGE, limits: NO_LIMITS };
}

export function newDraft(filter: string): Draft {
  return { name: "", description: "", filter, rate: "100", boosts: [], scope: FIRST_SCOPE, scorers: [newScorer("is_json")], scores_per_minute: "", cost_per_day: "" };
}

export function draftOf(rule: Rule): Draft {
  const { scope, budget } = rule;
  return {
    name: rule.name,
    description: rule.description,
    filter: rule.filter,
    rate: percent(rule.sampling_rate),
    boosts: rule.boosts.map((boost) => ({ filter: boost.filter, rate: percent(boost.sampling_rate) })),
    scope: { ...scope, span_names: scope.span_names.join(", ") },
    scorers: rule.scorers.map(scorerDraft),
    scores_per_minute: budget.scores_per_minute ? String(budget.scores_per_minute) : "",
    cost_per_day: budget.cost_per_day ? String(budget.cost_per_day) : "",
  };
}

function scorerDraft(scorer: RuleScorer): ScorerDraft {
  const { use, name, options, concurrency, timeout_seconds, memory_mib, calls_per_minute, max_attempts } = scorer;
  const { prompt, model, choices, ...others } = options as { prompt?: string; model?: string; choices?: Record<string, number> };
  const rest = use === JUDGE ? others : options;
  return {
    use,
    name,
    options: Object.keys(rest).length ? JSON.stringify(rest) : "",
    judge: use === JUDGE ? { prompt: prompt ?? "", model: model ?? FIRST_JUDGE.model, choices: Object.entries(choices ?? {}).map(([choice, value]) => [choice, String(value)]) } : FIRST_JUDGE,
    limits: { concurrency, timeout_seconds, memory_mib, calls_per_minute, max_attempts },
  };
}

/** The rule that the fields describe. Throws DraftError for what is no number or no JSON; the collector checks the rest. */
export function ruleOf(draft: Draft, project: string, enabled: boolean): Rule {
  const { scope } = draft;
  const isSpan = scope.type === "span";
  const isEach = scope.type === "group" && scope.placement === "each";
  return {
    name: draft.name.trim(),
    project,
    description: draft.description.trim(),
    scorers: draft.scorers.map((scorer, at) => scorerOf(scorer, `rule.scorers[${at}]`)),
    sampling_rate: rateOf(draft.rate, "rule.sampling_rate"),
    filter: draft.filter.trim(),
    scope: {
      ...scope,
      root_spans: isSpan && scope.root_spans,
      span_names: isSpan ? scope.span_names.split(",").map((name) => name.trim()).filter(Boolean) : [],
      group_by: scope.type === "group" ? scope.group_by.trim() : "",
      placement: isEach ? "each" : "first",
      interval_seconds: isEach ? scope.interval_seconds : 0,
    },
    enabled,
    boosts: draft.boosts.map((boost, at): Boost => ({ filter: boost.filter.trim(), sampling_rate: rateOf(boost.rate, `rule.boosts[${at}].sampling_rate`) })),
    budget: { scores_per_minute: numberOf(draft.scores_per_minute || "0", "rule.budget.scores_per_minute"), cost_per_day: numberOf(draft.cost_per_day || "0", "rule.budget.cost_per_day") },
  };
}

function scorerOf(draft: ScorerDraft, path: string): RuleScorer {
  const given = optionsOf(draft.options, `${path}.options`);
  const options = draft.use === JUDGE ? { ...given, prompt: draft.judge.prompt, model: draft.judge.model.trim(), choices: choicesOf(draft.judge.choices, `${path}.options`) } : given;
  return { use: draft.use.trim(), name: draft.name.trim(), options, ...draft.limits };
}

function optionsOf(text: string, field: string): Record<string, unknown> {
  if (!text.trim()) return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new DraftError(field, `The options are no JSON: ${(error as Error).message}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new DraftError(field, 'The options must be an object such as {"text": "sorry"}');
  return value as Record<string, unknown>;
}

function choicesOf(choices: [string, string][], field: string): Record<string, number> {
  return Object.fromEntries(choices.filter(([choice]) => choice.trim()).map(([choice, value]) => [choice.trim(), numberOf(value, field)]));
}

function rateOf(text: string, field: string): number {
  return Number((numberOf(text, field) / 100).toPrecision(12));
}

function numberOf(text: string, field: string): number {
  const number = Number(text);
  if (!text.trim() || !Number.isFinite(number)) throw new DraftError(field, `“${text}” is no number`);
  return number;
}

function percent(rate: number): string {
  return String(Number((rate * 100).toPrecision(10)));
}
