// Measures as people read them.
import { decimals, duration, number, score } from "../../lib/format";
import type { Difference, Measure } from "./api";

type Measured = Pick<Measure, "unit"> & Partial<Pick<Measure, "sides">>;

export function amount(measure: Measured, isScore: boolean, value: number | undefined): string {
  if (value === undefined) return "–";
  if (isScore) return score(value);
  if (measure.unit === "s") return duration(value);
  if (measure.unit === "$") return `$${value.toFixed(decimalsOf(measure, value))}`;
  return number(Number(value.toPrecision(4)));
}

/** Dollars of one measure have the same decimals, those that its largest mean needs. */
function decimalsOf({ sides = [] }: Measured, value: number): number {
  const largest = Math.max(value, ...sides.map((side) => side.mean ?? 0));
  return largest > 0 ? decimals(largest) : 2;
}

/** Closer than this is the same. */
const SAME = 1e-9;

export function signed(measure: Measured, isScore: boolean, value: number | undefined): string {
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
