// What a rule says, in words.
import { counted, score } from "../../lib/format";
import { addressOf, type QueryChanges } from "../../lib/router";
import type { Boost, Rule, Scope } from "./api";

/** Where a rule is; those of every project say so in the query. */
export function addressOfRule(rule: Pick<Rule, "name" | "project">, query: QueryChanges = {}): string {
  return addressOf(`rules/${rule.name}`, rule.project ? query : { every: "1", ...query });
}

export function scopeWords(scope: Scope): string {
  if (scope.type === "trace") return `each trace, once nothing new came for ${scope.idle_seconds} s`;
  if (scope.type === "group") {
    const placement = scope.placement === "each" ? `once every ${scope.interval_seconds} s` : "once";
    return `what shares ${scope.group_by}, ${placement}, once nothing new came for ${scope.idle_seconds} s; its ${scope.max_traces} newest traces`;
  }
  const names = scope.span_names.map((name) => `“${name}”`).join(", ");
  if (scope.root_spans) return names ? `root spans, and spans called ${names}` : "root spans";
  return names ? `spans called ${names}` : "each span";
}

export function rateWords(rate: number, boosts: Boost[]): string {
  const more = boosts.map((boost) => `${score(boost.sampling_rate)} where ${boost.filter}`);
  return [`${score(rate)} of traces`, ...more].join(", ");
}

export function budgetWords({ scores_per_minute, cost_per_day }: Rule["budget"]): string {
  const parts = [scores_per_minute ? `${counted(scores_per_minute, "score")} a minute` : "", cost_per_day ? `$${cost_per_day} a day` : ""].filter(Boolean);
  return parts.length ? `at most ${parts.join(" and ")}` : "no limit";
}
