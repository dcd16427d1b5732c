// What the sample says about all rows that matched: means with intervals, day by day.
import { useMemo } from "preact/hooks";
import { counted, parseTime, score, whole } from "../../lib/format";
import { useLoaded } from "../../lib/load";
import { ErrorBox } from "../../ui/basics";
import { Legend, type Series, TimeChart } from "../../ui/charts";
import { type Estimate, loadEstimates } from "./api";

const DAY_MS = 86_400_000;

interface Summary {
  name: string;
  rows: number;
  estimatedRows: number;
  mean: number;
  /** Half of the interval of 95 %; null where one trace says nothing about the spread. */
  margin: number | null;
}

export function Estimates({ project, rule, round }: { project: string; rule: string; round: number }) {
  const found = useLoaded(`${project} ${rule} ${round}`, (signal) => loadEstimates(project, rule, signal));
  const days = found.data ?? [];
  const names = [...new Set(days.map((day) => day.name))];
  const [times, series] = useMemo(() => chart(days, names), [found.data]);
  if (found.error !== undefined) return <ErrorBox what="The estimates could not be read" error={found.error} onRetry={found.reload} />;
  if (!days.length) return found.data ? <p class="hint">No score in the last 30 days yet. Those that come are summed up here.</p> : null;
  return (
    <section class="panel" aria-label="Estimates">
      <header><h3>Over all rows that matched</h3><span class="hint">last 30 days, corrected for the sampling, with the interval of 95 %</span></header>
      <div class="scroll-x"><table class="plain-table">
        <thead><tr><th scope="col">Score</th><th scope="col">Mean</th><th scope="col">Interval</th><th scope="col">Scored</th><th scope="col">Stand for</th></tr></thead>
        <tbody>
          {names.map((name) => summary(name, days)).map((one) => (
            <tr key={one.name}>
              <th scope="row">{one.name}</th>
              <td class="number"><strong>{score(one.mean)}</strong></td>
              <td class="number">{one.margin === null ? <span class="hint">one trace says nothing about the spread</span> : `${score(Math.max(0, one.mean - one.margin))} – ${score(Math.min(1, one.mean + one.margin))}`}</td>
              <td class="number">{whole(one.rows)}</td>
              <td class="number">{counted(one.estimatedRows, "row")}</td>
            </tr>
          ))}
        </tbody>
      </table></div>
      {times.length > 1 && (
        <>
          <TimeChart title="Means by day" times={times} bucket={DAY_MS} series={series} format={score} max={1} height={130} />
          <Legend names={names} />
        </>
      )}
    </section>
  );
}

/** Days weigh as many rows as they stand for; their errors are independent. */
function summary(name: string, days: Estimate[]): Summary {
  const mine = days.filter((day) => day.name === name);
  const sum = (value: (day: Estimate) => number) => mine.reduce((total, day) => total + value(day), 0);
  const weight = sum((day) => day.estimated_rows);
  const margin = (1.96 * Math.sqrt(sum((day) => (day.standard_error * day.estimated_rows) ** 2))) / weight;
  return { name, rows: sum((day) => day.rows), estimatedRows: weight, mean: sum((day) => day.mean * day.estimated_rows) / weight, margin: sum((day) => day.traces) > 1 ? margin : null };
}

function chart(days: Estimate[], names: string[]): [number[], Series[]] {
  const starts = days.map((day) => parseTime(`${day.date} 00:00:00`));
  const first = Math.min(...starts);
  const count = days.length ? Math.round((Math.max(...starts) - first) / DAY_MS) + 1 : 0;
  const times = Array.from({ length: count }, (_, at) => first + at * DAY_MS);
  const series = names.map((name) => {
    const byTime = new Map(days.filter((day) => day.name === name).map((day) => [parseTime(`${day.date} 00:00:00`), day]));
    const pick = (value: (day: Estimate) => number | null) => times.map((time) => (byTime.has(time) ? value(byTime.get(time)!) : null));
    const edge = (sign: number) => pick((day) => (day.traces > 1 ? Math.min(1, Math.max(0, day.mean + sign * 1.96 * day.standard_error)) : null));
    return { name, values: pick((day) => day.mean), low: edge(-1), high: edge(1) };
  });
  return [times, series];
}
