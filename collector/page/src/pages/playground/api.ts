// What the collector's playground can do, as the API has it.
import { call } from "../../lib/api";
import { readLines } from "../../lib/lines";

export interface Endpoint {
  name: string;
  kind: "openai" | "anthropic";
  models: string[];
  problem: string;
}

export interface Models {
  endpoints: Endpoint[];
  /** What to do where there is no endpoint. */
  hint: string;
}

export interface RunScorer {
  use: string;
  name: string;
  options?: unknown;
}

export interface RunRequest {
  endpoint: string;
  model: string;
  messages: unknown[];
  parameters?: unknown;
  input?: unknown;
  expected?: unknown;
  metadata?: unknown;
  scorers: RunScorer[];
}

export interface RunEnd {
  error: string;
  output?: unknown;
  messages: unknown[];
  reply?: unknown;
  model: string;
  duration: number;
  time_to_first_token?: number;
  prompt_tokens?: number;
  completion_tokens?: number;
  cached_tokens?: number;
  cost?: number;
}

export interface RunScore {
  name: string;
  score?: number;
  reason: string;
  error: string;
}

export interface RunAnswer {
  text: string;
  end?: RunEnd;
  score?: RunScore;
}

export function listModels(signal: AbortSignal): Promise<Models> {
  return call("GET", "/v1/playground/models", undefined, signal);
}

/** Asks a model; closing through `signal` stops it. */
export function run(question: RunRequest, signal: AbortSignal, take: (answer: RunAnswer) => void): Promise<void> {
  return readLines("/v1/playground/run", question, signal, take);
}

export interface NamedScorer {
  rule: string;
  scorer: RunScorer;
}

/** The scorers of the project's rules, ready to be used again. */
export async function listRuleScorers(project: string, signal: AbortSignal): Promise<NamedScorer[]> {
  const { rules } = await call<{ rules: { name: string; scorers: RunScorer[] }[] }>("GET", `/v1/scoring-rules?${new URLSearchParams({ project })}`, undefined, signal);
  return rules.flatMap((rule) => rule.scorers.map(({ use, name, options }) => ({ rule: rule.name, scorer: options === undefined ? { use, name } : { use, name, options } })));
}
