// Outputs side by side, a column for each experiment, what differs from the base marked.
import { Virtual } from "../../ui/virtual";
import { COLOURS } from "../../ui/charts";
import { TextDiff } from "../../ui/textdiff";
import { pretty } from "../../ui/json";
import type { Case, CaseSide, Comparison } from "./api";
import { ScoreOf, short } from "./caselist";
import { change, type CompareState } from "./state";

const ROW_HEIGHT = 176;
const COLUMN_WIDTH = 260;

export function CaseGrid({ state, data, onEnd, note }: { state: CompareState; data: Comparison; onEnd: () => void; note: string }) {
  const style = { gridTemplateColumns: `220px repeat(${data.experiments.length}, minmax(${COLUMN_WIDTH}px, 1fr))`, minWidth: `${220 + COLUMN_WIDTH * data.experiments.length}px` };
  const header = (
    <div class="row head" role="row" style={style}>
      <div class="cell" role="columnheader">Case</div>
      {data.experiments.map((side, number) => <div key={side.experiment.id} class="cell" role="columnheader"><span class={`swatch c${number % COLOURS}`} /><span class="ellipsis">{side.experiment.name}</span></div>)}
    </div>
  );
  const render = (at: number) => {
    const one = data.cases[at]!;
    const open = (event: Event) => (event.target as Element).closest("a, button") || change({ case: one.key, row: null }, state.openCase !== "");
    return (
      <div key={one.key} class={`row case-card${one.key === state.openCase ? " at" : ""}`} role="row" style={{ ...style, height: `${ROW_HEIGHT}px` }} onClick={open}>
        <div class="cell top" role="gridcell"><div class="case-text"><button type="button" class="link left" onClick={() => change({ case: one.key, row: null }, state.openCase !== "")}>{short(one.input) || "(empty)"}</button><p class="hint">{short(one.expected)}</p></div></div>
        {data.experiments.map((side) => <div key={side.experiment.id} class="cell top" role="gridcell"><Card data={data} one={one} side={one.sides.find((each) => each.experiment_id === side.experiment.id)} /></div>)}
      </div>
    );
  };
  return <Virtual class="grid" role="grid" label="Cases side by side" count={data.cases.length} columnCount={data.experiments.length + 1} rowHeight={ROW_HEIGHT} header={header} render={render} onEnd={onEnd} footer={<p class="list-end hint">{note}</p>} />;
}

function Card({ data, one, side }: { data: Comparison; one: Case; side: CaseSide | undefined }) {
  if (!side?.trials) return <span class="hint">not in this experiment</span>;
  const trial = side.rows?.[0];
  const base = side.experiment_id === data.base_id ? undefined : one.sides.find((each) => each.experiment_id === data.base_id)?.rows?.[0];
  const output = trial ? outputOf(trial) : "";
  return (
    <div class="case-text">
      <div class="case-scores">
        {data.scores.slice(0, 4).map((measure) => <span key={measure.name} class="case-score"><span class="hint ellipsis">{measure.name}</span> <ScoreOf measure={measure} one={one} side={side} baseId={data.base_id} /></span>)}
        {side.trials > 1 && <span class="tag">{side.trials} trials</span>}
      </div>
      <div class={trial?.error ? "bad" : ""}>{base ? <TextDiff before={outputOf(base)} after={output} /> : output}</div>
    </div>
  );
}

/** What a trial came to, as text. */
export function outputOf(trial: { output: unknown; error: string }): string {
  return trial.error || (trial.output === null || trial.output === undefined ? "" : pretty(trial.output));
}
