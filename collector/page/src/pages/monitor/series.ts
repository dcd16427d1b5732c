// Points of the database to series of a chart.
import type { Series } from "../../ui/charts";
import type { Point, ScorePoint } from "./queries";

const NINETY_FIVE = 1.96;

/** Every bucket of the range; those without rows are gaps, not zeros. */
export function bucketsOf(from: number, to: number, width: number): number[] {
  const first = Math.floor(from / width) * width;
  return Array.from({ length: Math.max(1, Math.ceil((to - first) / width)) }, (_, at) => first + at * width);
}

export function groupNames(points: Point[]): string[] {
  const sums = new Map<string, number>();
  for (const point of points) sums.set(point.group, (sums.get(point.group) ?? 0) + point.count);
  return [...sums].sort((a, b) => b[1] - a[1]).map(([name]) => name);
}

/** One series for each group. */
export function seriesOf(points: Point[], times: number[], names: string[], value: (point: Point) => number | null, nameless: string): Series[] {
  const at = new Map(times.map((time, index) => [time, index]));
  return names.map((name) => {
    const values: (number | null)[] = times.map(() => null);
    for (const point of points) {
      const index = at.get(point.at);
      if (point.group === name && index !== undefined) values[index] = value(point);
    }
    return { name: name || nameless, values };
  });
}

export function scoreNames(points: ScorePoint[]): string[] {
  return [...new Set(points.map((point) => point.name))].sort();
}

/** One series for each score, or for each group: its mean, with the band in which the true mean is 95 times out of 100. */
export function scoreSeries(points: ScorePoint[], times: number[], by: "name" | "group", order: string[]): Series[] {
  const at = new Map(times.map((time, index) => [time, index]));
  const names = [...new Set([...order, ...points.map((point) => point[by])])];
  return names.map((name) => {
    const empty = () => times.map((): number | null => null);
    const [values, low, high] = [empty(), empty(), empty()];
    for (const point of points) {
      const index = at.get(point.at);
      if (point[by] !== name || index === undefined) continue;
      values[index] = point.mean;
      if (point.spread === null || point.n < 2) continue;
      const half = (NINETY_FIVE * point.spread) / Math.sqrt(point.n);
      low[index] = Math.max(0, point.mean - half);
      high[index] = Math.min(1, point.mean + half);
    }
    return { name, values, low, high };
  });
}
