// Scores and metrics as rows, experiments as columns: the table that goes into a report.
import { whole } from "../../lib/format";
import { place } from "../../lib/router";
import { COLOURS } from "../../ui/charts";
import type { Comparison, Measure } from "./api";
import { amount, direction, signed } from "./words";

export function SummaryTable({ data }: { data: Comparison }) {
  const several = data.experiments.length > 1;
  return (
    <div class="report">
      <header class="print-only"><h1>{place.value.project}: {data.experiments.map((side) => side.experiment.name).join(", ")}</h1><p>{new Date().toISOString().slice(0, 16).replace("T", " ")} UTC</p></header>
      <table class="plain-table">
        <caption class="hint">Means over cases{several && ", with the difference to the base and what it means"}</caption>
        <thead>
          <tr>
            <th scope="col">Measure</th>
            {data.experiments.map((side, number) => <th scope="col" key={side.experiment.id}><span class={`swatch c${number % COLOURS}`} /> {side.experiment.name}{several && side.experiment.id === data.base_id && <span class="hint"> base</span>}</th>)}
          </tr>
        </thead>
        <tbody>
          {data.scores.map((measure) => <Line key={measure.name} measure={measure} isScore data={data} />)}
          {data.metrics.map((measure) => <Line key={`metric ${measure.name}`} measure={measure} isScore={false} data={data} />)}
          {([["cases", "cases"], ["trials", "trials"], ["errors", "failed"]] as const).map(([name, title]) => (
            <tr key={name} class="quiet"><th scope="row">{title}</th>{data.experiments.map((side) => <td key={side.experiment.id} class="number">{whole(side[name])}</td>)}</tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Line({ measure, isScore, data }: { measure: Measure; isScore: boolean; data: Comparison }) {
  return (
    <tr>
      <th scope="row">{measure.name}{measure.is_lower_better && <span class="hint" title="Less is better"> ↓</span>}</th>
      {data.experiments.map((side) => {
        const found = measure.sides.find((one) => one.experiment_id === side.experiment.id);
        const against = measure.differences.find((one) => one.experiment_id === side.experiment.id);
        return (
          <td key={side.experiment.id}>
            <span class="number"><strong>{amount(measure, isScore, found?.mean)}</strong>{found?.deviation !== undefined && <span class="hint"> ± {amount(measure, isScore, found.deviation)}</span>} {against && <span class={`delta ${direction(measure.is_lower_better, against.difference)}`}>{signed(measure, isScore, against.difference)}</span>}</span>
            {against && <p class="hint">{against.words}</p>}
          </td>
        );
      })}
    </tr>
  );
}
