// The means in large type, to be read from across a room.
import { COLOURS } from "../../ui/charts";
import type { Comparison, Measure } from "./api";
import { amount, direction, signed } from "./words";

export function Summary({ data }: { data: Comparison }) {
  return (
    <div class="summary">
      {data.scores.map((measure) => <Tile key={measure.name} measure={measure} isScore data={data} />)}
      {data.metrics.map((measure) => <Tile key={`metric ${measure.name}`} measure={measure} isScore={false} data={data} />)}
    </div>
  );
}

function Tile({ measure, isScore, data }: { measure: Measure; isScore: boolean; data: Comparison }) {
  return (
    <section class="panel" aria-label={measure.name}>
      <header><h3 class="ellipsis">{measure.name}</h3>{isScore && <span class="hint">score</span>}</header>
      <div class="summary-sides">
        {data.experiments.map((side, number) => {
          const mean = measure.sides.find((one) => one.experiment_id === side.experiment.id)?.mean;
          const against = measure.differences.find((one) => one.experiment_id === side.experiment.id);
          return (
            <div key={side.experiment.id} class="summary-side" title={against?.words}>
              <strong class="number">{amount(measure, isScore, mean)}</strong>
              {against && <span class={`number delta ${direction(measure.is_lower_better, against.difference)}`}>{signed(measure, isScore, against.difference)} {against.verdict}</span>}
              <span class="hint summary-name"><span class={`swatch c${number % COLOURS}`} /> <span class="ellipsis">{side.experiment.name}</span></span>
            </div>
          );
        })}
      </div>
    </section>
  );
}
