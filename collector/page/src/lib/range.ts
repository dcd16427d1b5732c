// A range of time in the address: `24h` counts back from now, `<ms>-<ms>` is fixed.

export interface Range {
  from: number;
  to: number;
  /** True when the range ends now and moves on. */
  isRelative: boolean;
  label: string;
}

const UNIT_MS: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

export const CHOICES: [string, string][] = [
  ["15m", "Last 15 minutes"],
  ["1h", "Last hour"],
  ["6h", "Last 6 hours"],
  ["24h", "Last 24 hours"],
  ["3d", "Last 3 days"],
  ["7d", "Last 7 days"],
  ["30d", "Last 30 days"],
  ["90d", "Last 90 days"],
];

export const DEFAULT_RANGE = "24h";

export function readRange(text: string | null, now = Date.now()): Range {
  const fixed = /^(\d{10,14})-(\d{10,14})$/.exec(text ?? "");
  if (fixed) return { from: Number(fixed[1]), to: Number(fixed[2]), isRelative: false, label: "" };
  const relative = /^(\d{1,4})([mhd])$/.exec(text ?? "") ?? /^(\d+)([mhd])$/.exec(DEFAULT_RANGE)!;
  const label = `${relative[1]}${relative[2]}`;
  return { from: now - Number(relative[1]) * UNIT_MS[relative[2]!]!, to: now + 60_000, isRelative: true, label };
}

export function writeRange(from: number, to: number): string {
  return `${Math.floor(from)}-${Math.ceil(to)}`;
}

const NICE_MS = [
  1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 900_000, 1_800_000, 3_600_000, 7_200_000,
  10_800_000, 21_600_000, 43_200_000, 86_400_000, 172_800_000, 604_800_000,
];

/** The width of a bucket so that there are at most so many. */
export function bucketMs(range: Range, most: number): number {
  const exact = (range.to - range.from) / most;
  return NICE_MS.find((width) => width >= exact) ?? Math.ceil(exact / 604_800_000) * 604_800_000;
}
