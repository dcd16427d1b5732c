// Experiments, their comparison and trees of variants, as the API has them.
import { call } from "../../lib/api";

export interface Experiment {
  id: string;
  name: string;
  description: string;
  created: string;
  finished: string;
  dataset_id: string;
  dataset_version: string;
  metadata?: Record<string, unknown>;
  tags: string[];
  repo_info?: { commit?: string; branch?: string; dirty?: boolean; author_name?: string; commit_message?: string };
}

export interface Side {
  experiment_id: string;
  mean?: number;
  deviation?: number;
  cases: number;
}

export type Verdict = "better" | "worse" | "unclear" | "same" | "too few";

export interface Difference {
  experiment_id: string;
  difference?: number;
  pairs: number;
  improvements: number;
  regressions: number;
  low?: number;
  high?: number;
  verdict: Verdict;
  /** The verdict as a sentence. */
  words: string;
}

export interface Measure {
  name: string;
  unit: string;
  is_lower_better: boolean;
  sides: Side[];
  differences: Difference[];
}

export interface Compared {
  experiment: Experiment;
  cases: number;
  trials: number;
  errors: number;
}

export interface Trial {
  id: string;
  trace_id: string;
  output: unknown;
  error: string;
  scores: Record<string, number>;
  origin: { object_type?: string; object_id?: string; id?: string } | null;
  columns?: Record<string, unknown>;
}

export interface CaseSide {
  experiment_id: string;
  trials: number;
  scores?: Record<string, number>;
  metrics?: Record<string, number>;
  rows?: Trial[];
}

export interface Case {
  key: string;
  input?: unknown;
  expected?: unknown;
  metadata?: Record<string, unknown>;
  improvements: number;
  regressions: number;
  sides: CaseSide[];
}

export interface Group {
  value: string;
  cases: number;
  scores: Measure[];
  metrics: Measure[];
}

export interface Comparison {
  experiments: Compared[];
  base_id: string;
  base_reason: string;
  scores: Measure[];
  metrics: Measure[];
  groups: Group[];
  cases: Case[];
  case_count: number;
}

export interface Aggregate {
  name: string;
  weights?: Record<string, number>;
  minimum?: string[];
  maximum?: string[];
  formula?: string;
}

export interface CompareRequest {
  project: string;
  experiments: string[];
  base: string;
  where: string;
  group_by: string;
  order_by: string;
  aggregates: Aggregate[];
  columns?: Record<string, string>;
  limit: number;
  offset: number;
}

export function compare(question: CompareRequest, signal: AbortSignal): Promise<Comparison> {
  return call("POST", "/v1/experiments/compare", question, signal);
}

export async function listExperiments(project: string, signal?: AbortSignal): Promise<Experiment[]> {
  const query = new URLSearchParams({ project, limit: "500" });
  return (await call<{ experiments: Experiment[] }>("GET", `/v1/experiments?${query}`, undefined, signal)).experiments;
}

export function setBase(project: string, experiment: string, base: string): Promise<unknown> {
  return call("POST", `/v1/experiments/${encodeURIComponent(experiment)}/base`, { project, base });
}

export interface Variant {
  name: string;
  parent: string;
  step: string;
  parameter: string;
  value?: unknown;
  effective: Record<string, Record<string, unknown>>;
  outcome?: { total: number; passed: number; failed: number; pass_rate: number; against_baseline?: number; completed: string };
}

export interface VariantExperiment {
  name: string;
  description: string;
  steps: string[];
  status: string;
  task_count: number;
  pass_when: string;
  variants: Variant[];
}

export async function listVariantExperiments(project: string, signal: AbortSignal): Promise<VariantExperiment[]> {
  return (await call<{ experiments: VariantExperiment[] }>("GET", `/v1/variant-experiments?${new URLSearchParams({ project })}`, undefined, signal)).experiments;
}

export function runVariant(project: string, experiment: string, variant: string): Promise<unknown> {
  return call("POST", `/v1/variant-experiments/${encodeURIComponent(experiment)}/variants/${encodeURIComponent(variant)}/run`, { project });
}

export function addVariant(project: string, experiment: string, change: { variant: string; parent: string; step: string; parameter: string; value: unknown }): Promise<unknown> {
  return call("POST", `/v1/variant-experiments/${encodeURIComponent(experiment)}/variants`, { project, ...change });
}
