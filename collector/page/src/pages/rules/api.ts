// Rules of online scoring: their definitions and state in SQL, changes through the API.
import { useEffect, useRef } from "preact/hooks";
import { call } from "../../lib/api";
import { readLines } from "../../lib/lines";
import type { Loaded } from "../../lib/load";
import { askRows, text } from "../../lib/sql";

export interface RuleScorer {
  use: string;
  name: string;
  options: Record<string, unknown>;
  concurrency: number;
  timeout_seconds: number;
  memory_mib: number;
  calls_per_minute: number;
  max_attempts: number;
}

export interface Boost {
  filter: string;
  sampling_rate: number;
}

export interface Scope {
  type: "span" | "trace" | "group";
  root_spans: boolean;
  span_names: string[];
  idle_seconds: number;
  group_by: string;
  placement: "first" | "each";
  interval_seconds: number;
  max_traces: number;
}

export interface Rule {
  name: string;
  /** Empty for a rule of every project. */
  project: string;
  description: string;
  scorers: RuleScorer[];
  sampling_rate: number;
  filter: string;
  scope: Scope;
  enabled: boolean;
  boosts: Boost[];
  budget: { scores_per_minute: number; cost_per_day: number };
}

/** A rule with what became of the rows it matched. */
export interface RuleStatus {
  rule: Rule;
  version: number;
  changed: string;
  changed_by: string;
  /** Why it does not work; empty when it does. */
  failure: string;
  matched: number;
  sampled: number;
  scored: number;
  skipped: number;
  failed: number;
  waiting: number;
  lag_p50: number | null;
  lag_p95: number | null;
  cost: number;
  backfilled: number;
  backfill_failed: number;
  backfill_waiting: number;
}

const STATUS = `matched, sampled, scored, skipped, failed, waiting, lag_p50, lag_p95, cost,
    backfilled, backfill_failed, backfill_waiting, s.failure AS failure`;

/** The rules that score rows of this project: its own, and those of every project. */
export function listRules(project: string, signal: AbortSignal): Promise<RuleStatus[]> {
  return readRules(`s.project IN (${text(project)}, '')`, signal);
}

export async function findRule(project: string, name: string, signal: AbortSignal): Promise<RuleStatus | null> {
  return (await readRules(`s.project = ${text(project)} AND s.name = ${text(name)}`, signal))[0] ?? null;
}

async function readRules(where: string, signal: AbortSignal): Promise<RuleStatus[]> {
  const sql = `SELECT r.definition AS definition, r.version AS version, r.changed AS changed, r.changed_by AS changed_by, ${STATUS}
    FROM scoring_rule_status AS s INNER JOIN scoring_rules AS r ON r.project = s.project AND r.name = s.name
    WHERE ${where} ORDER BY s.project = '', s.name LIMIT 1000`;
  const rows = await askRows<Omit<RuleStatus, "rule"> & { definition: string }>(sql, { signal });
  return rows.map(({ definition, ...status }) => ({ ...status, rule: JSON.parse(definition) as Rule }));
}

const PATH = "/v1/scoring-rules";

function pathOf(rule: Rule): string {
  return `${PATH}/${encodeURIComponent(rule.name)}`;
}

export function putRule(rule: Rule): Promise<{ outcome: string }> {
  return call("POST", PATH, { rule });
}

export async function enableRule(rule: Rule, enabled: boolean): Promise<void> {
  await call("POST", `${pathOf(rule)}/enabled`, { project: rule.project, enabled });
}

export async function deleteRule(rule: Rule): Promise<void> {
  await call("DELETE", `${pathOf(rule)}?${new URLSearchParams({ project: rule.project })}`);
}

export interface BackTest {
  /** With every default filled in. */
  rule: Rule;
  matched: number;
  sampled: number;
  calls: number;
  /** US dollars; absent when nothing is known. */
  estimated_cost?: number;
  /** JSON texts of rows. */
  sample: string[];
}

export function testRule(rule: Rule, hours: number, signal: AbortSignal): Promise<BackTest> {
  return call("POST", `${PATH}/test`, { rule, hours, rows: 10 }, signal);
}

/** What a scorer says about a row. */
export interface Tried {
  /** The row's place among those that were given. */
  id: string;
  status: "scored" | "failed" | "returned";
  scores: { name: string; score?: number; reason: string }[];
  error: string;
}

/** Scores rows without storing anything; `onResult` hears of each as soon as it is scored. */
export function tryScorer(scorer: RuleScorer, rows: string[], signal: AbortSignal, onResult: (result: Tried) => void): Promise<void> {
  return readLines(`${PATH}/try-scorer`, { scorer, rows }, signal, onResult);
}

export interface Backfill {
  id: string;
  /** queued means that everything is. */
  state: "running" | "queued" | "stopped" | "failed";
  since: string;
  until: string;
  matched: number;
  queued: number;
  done: number;
  error: string;
}

export interface BackfillWish {
  since?: string;
  until?: string;
  filter?: string;
  all?: boolean;
  again?: boolean;
  failed?: boolean;
}

export function startBackfill(rule: Rule, wish: BackfillWish): Promise<Backfill> {
  return call("POST", `${pathOf(rule)}/backfills`, { project: rule.project, ...wish });
}

export async function listBackfills(rule: Rule, signal: AbortSignal): Promise<Backfill[]> {
  return (await call<{ backfills: Backfill[] }>("GET", `/v1/backfills?${new URLSearchParams({ project: rule.project, rule: rule.name })}`, undefined, signal)).backfills;
}

export async function stopBackfill(rule: Rule, id: string): Promise<void> {
  await call("POST", `/v1/backfills/${encodeURIComponent(id)}/stop`, { project: rule.project });
}

export interface RuleScore {
  trace_id: string;
  span_id: string;
  span_name: string;
  name: string;
  score: number | null;
  status: string;
  reason: string;
  scored: string;
  attempt: number;
  cost: number;
  lag: number;
}

export function latestScores(project: string, rule: string, status: "failed" | "any", signal: AbortSignal): Promise<RuleScore[]> {
  const only = status === "failed" ? " AND status = 'failed'" : "";
  const sql = `SELECT trace_id, span_id, span_name, name, score, status, substringUTF8(reason, 1, 2000) AS reason, scored, attempt, cost, lag
    FROM scores WHERE project = ${text(project)} AND source = 'online' AND rule = ${text(rule)}${only} ORDER BY scored DESC LIMIT 300`;
  return askRows<RuleScore>(sql, { signal });
}

export interface Estimate {
  name: string;
  /** 2026-11-26, UTC. */
  date: string;
  rows: number;
  estimated_rows: number;
  traces: number;
  mean: number;
  standard_error: number;
}

const ESTIMATE_DAYS = 30;

export function loadEstimates(project: string, rule: string, signal: AbortSignal): Promise<Estimate[]> {
  const sql = `SELECT name, toString(day) AS date, rows, estimated_rows, traces, mean, standard_error FROM score_estimates
    WHERE project = ${text(project)} AND rule = ${text(rule)} AND day > today() - ${ESTIMATE_DAYS} ORDER BY name, day`;
  return askRows<Estimate>(sql, { signal });
}

export interface RuleChange {
  version: number;
  time: string;
  actor: string;
  action: string;
  /** JSON object of field → [before, after]. */
  changed: string;
}

export function loadChanges(rule: Rule, signal: AbortSignal): Promise<RuleChange[]> {
  const sql = `SELECT version, time, actor, action, changed FROM audit_log
    WHERE kind = 'scoring_rule' AND project = ${text(rule.project)} AND id = ${text(rule.name)} ORDER BY version DESC LIMIT 200`;
  return askRows<RuleChange>(sql, { signal });
}

const REST = 10;

/**
 * Asks again so long after each answer, and no sooner than ten times what the answer took, while the page is looked at.
 * Null leaves it at what is there.
 */
export function useRefresh(found: Loaded<unknown>, ms: number | null): void {
  const asked = useRef(performance.now());
  useEffect(() => {
    if (ms === null || found.isLoading) return;
    const pause = Math.max(ms, REST * (performance.now() - asked.current));
    const again = setInterval(() => {
      if (document.hidden) return;
      clearInterval(again);
      asked.current = performance.now();
      found.reload();
    }, pause);
    return () => clearInterval(again);
  }, [found.data, found.error, found.isLoading, ms]);
}
