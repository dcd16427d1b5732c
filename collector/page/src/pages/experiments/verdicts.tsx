// Each measure in one line: where it is, how it moved, and in plain words whether that is real.
import { useState } from "preact/hooks";
import { useLoaded } from "../../lib/load";
import { place } from "../../lib/router";
import { COLOURS } from "../../ui/charts";
import { Button } from "../../ui/basics";
import type { Comparison, Measure } from "./api";
import { Distribution, type Distributions, loadDistributions } from "./distribution";
import { amount, direction, signed, verdictKind } from "./words";

const FIRST_METRICS = ["duration", "cost"];

export function Verdicts({ data }: { data: Comparison }) {
  const [showsAll, setShowsAll] = useState(false);
  const { project } = place.value;
  const ids = data.experiments.map((side) => side.experiment.id);
  const spread = useLoaded(`${project} ${ids.join()}`, (signal) => loadDistributions(project, ids, signal));
  const metrics = showsAll ? data.metrics : data.metrics.filter((measure) => FIRST_METRICS.includes(measure.name));
  return (
    <section class="verdicts" aria-label="Scores and metrics">
      {data.scores.map((measure) => <Line key={measure.name} measure={measure} isScore data={data} spread={spread.data} />)}
      {metrics.map((measure) => <Line key={`metric ${measure.name}`} measure={measure} isScore={false} data={data} spread={undefined} />)}
      {data.metrics.length > FIRST_METRICS.length && <Button kind="quiet" icon={showsAll ? "up" : "down"} onClick={() => setShowsAll(!showsAll)}>{showsAll ? "Fewer metrics" : `${data.metrics.length} metrics`}</Button>}
    </section>
  );
}

function Line({ measure, isScore, data, spread }: { measure: Measure; isScore: boolean; data: Comparison; spread: Distributions | undefined }) {
  const numbers = new Map(data.experiments.map((side, number) => [side.experiment.id, number]));
  return (
    <div class="verdict">
      <span class="verdict-name ellipsis" title={measure.name}>{measure.name}</span>
      <span class="verdict-means">
        {measure.sides.map((side) => <span key={side.experiment_id} class="number"><span class={`swatch c${numbers.get(side.experiment_id)! % COLOURS}`} /> {amount(measure, isScore, side.mean)}</span>)}
      </span>
      {isScore && <Distribution name={measure.name} ids={[...numbers.keys()]} found={spread} />}
      <span class="verdict-words">
        {measure.differences.map((one) => (
          <span key={one.experiment_id} class={`verdict-word ${verdictKind(one)}`}>
            {data.experiments.length > 2 && <span class={`swatch c${numbers.get(one.experiment_id)! % COLOURS}`} />}
            <strong class={`number delta ${direction(measure.is_lower_better, one.difference)}`}>{signed(measure, isScore, one.difference)}</strong>
            {isScore && one.pairs > 0 && <span class="number hint">{one.improvements}↑ {one.regressions}↓</span>}
            <span>{one.words}</span>
          </span>
        ))}
        {!measure.differences.length && <span class="hint">nothing to compare with</span>}
      </span>
    </div>
  );
}
