// How the values of a score are spread over its range, one row of bars for each experiment.
import { score } from "../../lib/format";
import { askRows, text } from "../../lib/sql";
import { COLOURS } from "../../ui/charts";

const BINS = 10;
const WIDTH = 110;
const HEIGHT = 26;

/** By score and experiment, how many rows are in each tenth. */
export type Distributions = Map<string, Map<string, number[]>>;

export async function loadDistributions(project: string, ids: string[], signal: AbortSignal): Promise<Distributions> {
  const where = `project = ${text(project)} AND experiment_id IN (${ids.map(text).join(", ")}) AND parent_id = ''`;
  const sql = `SELECT experiment_id, name, least(floor(value * ${BINS}), ${BINS - 1}) AS bin, count() AS n FROM eval_rows ARRAY JOIN mapKeys(scores) AS name, mapValues(scores) AS value WHERE ${where} GROUP BY ALL`;
  const found: Distributions = new Map();
  for (const row of await askRows<{ experiment_id: string; name: string; bin: number; n: number }>(sql, { signal })) {
    const sides = found.get(row.name) ?? new Map<string, number[]>();
    const bins = sides.get(row.experiment_id) ?? Array<number>(BINS).fill(0);
    bins[Math.max(0, row.bin)] = row.n;
    found.set(row.name, sides.set(row.experiment_id, bins));
  }
  return found;
}

export function Distribution({ name, ids, found }: { name: string; ids: string[]; found: Distributions | undefined }) {
  const sides = found?.get(name);
  if (!sides) return <span class="distribution" />;
  const shown = ids.filter((id) => sides.has(id));
  const each = WIDTH / BINS / Math.max(1, shown.length);
  const label = shown.map((id) => `${sides.get(id)!.map((n, bin) => (n ? `${n} from ${score(bin / BINS)}` : "")).filter(Boolean).join(", ")}`).join("; against ");
  return (
    <svg class="distribution" width={WIDTH} height={HEIGHT} role="img" aria-label={`Distribution of ${name}: ${label}`}>
      <title>{`Left 0%, right 100%. ${label}`}</title>
      <line class="grid-line" x1={0} x2={WIDTH} y1={HEIGHT - 0.5} y2={HEIGHT - 0.5} />
      {shown.map((id, at) => {
        const bins = sides.get(id)!;
        const most = Math.max(...bins);
        return bins.map((n, bin) => n > 0 && <rect key={`${id} ${bin}`} class={`bar c${ids.indexOf(id) % COLOURS}`} x={(bin * WIDTH) / BINS + at * each + 0.5} width={Math.max(1, each - 1)} y={HEIGHT - 1 - (n / most) * (HEIGHT - 2)} height={(n / most) * (HEIGHT - 2)} />);
      })}
    </svg>
  );
}
