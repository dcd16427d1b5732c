// Measures as people read them.
import { dollars, duration, number, score } from "../../lib/format";
import type { Difference, Measure } from "./api";

export function amount(measure: Pick<Measure, "unit">, isScore: boolean, value: number | undefined): string {
  if (value === undefined) return "–";
  if (isScore) return score(value);
  if (measure.unit === "s") return duration(value);
  if (measure.unit === "$") return dollars(value) || "$0";
  return number(Number(value.toPrecision(4)));
}

/** Closer than this is the same. */
const SAME = 1e-9;

export function signed(measure: Pick<Measure, "unit">, isScore: boolean, value: number | undefined): string {
  if (value === undefined) return "";
  if (Math.abs(value) < SAME) return "±0";
  return (value > 0 ? "+" : "−") + amount(measure, isScore, Math.abs(value));
}

/** Whether a change is good, bad, or neither. */
export function direction(isLowerBetter: boolean, change: number | undefined): "good" | "bad" | "" {
  if (change === undefined || Math.abs(change) < SAME) return "";
  return change > 0 !== isLowerBetter ? "good" : "bad";
}

/** The colour of a verdict: only what is hardly chance gets one. */
export function verdictKind(difference: Difference): "good" | "bad" | "plain" {
  return difference.verdict === "better" ? "good" : difference.verdict === "worse" ? "bad" : "plain";
}
