// Rows put through a scoring rule, through the API.
import { call } from "./api";

export interface Rule {
  name: string;
  project: string;
  description: string;
  enabled: boolean;
}

export interface Backfill {
  id: string;
  /** running, queued (everything is), stopped or failed */
  state: string;
  matched: number;
  queued: number;
  done: number;
  error: string;
}

export async function listRules(project: string, signal: AbortSignal): Promise<Rule[]> {
  return (await call<{ rules: Rule[] }>("GET", `/v1/scoring-rules?${new URLSearchParams({ project })}`, undefined, signal)).rules;
}

/** Starts scoring of every row that meets the condition and the rule's own, also of those that it has scored already. */
export function startBackfill(rule: Rule, range: { since: string; until: string }, filter: string): Promise<Backfill> {
  return call("POST", `/v1/scoring-rules/${encodeURIComponent(rule.name)}/backfills`, { project: rule.project, ...range, filter, all: true, again: true });
}

export async function findBackfill(rule: Rule, id: string): Promise<Backfill | undefined> {
  const query = new URLSearchParams({ project: rule.project, rule: rule.name });
  const { backfills } = await call<{ backfills: Backfill[] }>("GET", `/v1/backfills?${query}`);
  return backfills.find((one) => one.id === id);
}

export function stopBackfill(rule: Rule, id: string): Promise<Backfill> {
  return call("POST", `/v1/backfills/${encodeURIComponent(id)}/stop`, { project: rule.project });
}

export function isOver({ state, queued, done }: Backfill): boolean {
  return state !== "running" && (state !== "queued" || done >= queued);
}
