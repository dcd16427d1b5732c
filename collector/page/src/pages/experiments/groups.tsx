// Means of each group of cases, each experiment in its colour.
import { whole } from "../../lib/format";
import { COLOURS } from "../../ui/charts";
import { text } from "../../lib/sql";
import type { Comparison, Group, Measure } from "./api";
import { change, type CompareState } from "./state";
import { amount, direction, signed } from "./words";

const SHOWN_METRICS = ["duration", "cost"];

export function Groups({ state, data }: { state: CompareState; data: Comparison }) {
  const metrics = data.metrics.filter((measure) => SHOWN_METRICS.includes(measure.name));
  return (
    <div class="report">
      <table class="plain-table">
        <thead>
          <tr><th scope="col">{state.groupBy}</th><th scope="col">Cases</th>{[...data.scores, ...metrics].map((measure) => <th scope="col" key={measure.name}>{measure.name}</th>)}</tr>
        </thead>
        <tbody>{data.groups.map((group) => <Line key={group.value} state={state} data={data} group={group} />)}</tbody>
      </table>
    </div>
  );
}

function Line({ state, data, group }: { state: CompareState; data: Comparison; group: Group }) {
  const column = /^(?:metadata\.)?([\w-]+)$/.exec(state.groupBy);
  const condition = `${column ? `metadata[${text(column[1]!)}]` : `toString(${state.groupBy})`} = ${text(group.value)}`;
  const only = () => change({ f: state.where ? `(${state.where}) AND ${condition}` : condition, g: null });
  const cells: [Measure, boolean][] = [...group.scores.map((measure): [Measure, boolean] => [measure, true]), ...group.metrics.filter((measure) => SHOWN_METRICS.includes(measure.name)).map((measure): [Measure, boolean] => [measure, false])];
  return (
    <tr>
      <th scope="row"><button type="button" class="link" onClick={only}>{group.value || "(none)"}</button></th>
      <td class="number">{whole(group.cases)}</td>
      {cells.map(([measure, isScore]) => <td key={measure.name}>{data.experiments.map((side, number) => <Mean key={side.experiment.id} measure={measure} isScore={isScore} id={side.experiment.id} number={number} />)}</td>)}
    </tr>
  );
}

function Mean({ measure, isScore, id, number }: { measure: Measure; isScore: boolean; id: string; number: number }) {
  const side = measure.sides.find((one) => one.experiment_id === id);
  const against = measure.differences.find((one) => one.experiment_id === id);
  return (
    <div class="number" title={against?.words}>
      <span class={`swatch c${number % COLOURS}`} /> {amount(measure, isScore, side?.mean)} {against && <span class={`delta ${direction(measure.is_lower_better, against.difference)}`}>{signed(measure, isScore, against.difference)}</span>}
    </div>
  );
}
