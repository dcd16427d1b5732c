// Case by case: what went in, what came out, and every score against the base's.
import { Grid, type GridColumn } from "../../ui/grid";
import { COLOURS } from "../../ui/charts";
import type { Case, CaseSide, Comparison, Measure } from "./api";
import { change, type CompareState } from "./state";
import { direction, signed } from "./words";
import { duration, score } from "../../lib/format";

interface Props {
  state: CompareState;
  data: Comparison;
  onEnd: () => void;
  note: string;
}

const ROW_HEIGHT = 26;
const MAX_SCORE_COLUMNS = 8;

export function CaseList({ state, data, onEnd, note }: Props) {
  const sides = data.experiments.length;
  const ids = data.experiments.map((side) => side.experiment.id);
  const columns: GridColumn<Case>[] = [
    { id: "moves", title: <span title="Scores that got better and worse">↑↓</span>, width: 58, cell: (one) => <Moves one={one} /> },
    { id: "input", title: "Input", width: 0, cell: (one) => <span class="preview tall">{short(one.input)}</span> },
    { id: "expected", title: "Expected", width: 0, cell: (one) => <span class="preview tall">{short(one.expected)}</span> },
    { id: "output", title: "Output", width: 0, cell: (one) => <Stack ids={ids} one={one} render={(side) => <Output side={side} />} /> },
    ...data.scores.slice(0, MAX_SCORE_COLUMNS).map((measure): GridColumn<Case> => ({ id: `score ${measure.name}`, title: <span class="ellipsis" title={measure.name}>{measure.name}</span>, width: 118, align: "right", cell: (one) => <Stack ids={ids} one={one} render={(side) => <ScoreOf measure={measure} one={one} side={side} baseId={data.base_id} />} /> })),
    ...Object.keys(state.columns).map((name): GridColumn<Case> => ({ id: `own ${name}`, title: <span class="ellipsis" title={name}>{name}</span>, width: 130, cell: (one) => <Stack ids={ids} one={one} render={(side) => <span class="ellipsis">{short(side.rows?.[0]?.columns?.[name])}</span>} /> })),
    { id: "duration", title: "Duration", width: 92, align: "right", cell: (one) => <Stack ids={ids} one={one} render={(side) => <span class="number hint">{side.metrics?.["duration"] === undefined ? "" : duration(side.metrics["duration"])}</span>} /> },
  ];
  return (
    <Grid
      label="Cases"
      columns={columns}
      rows={data.cases}
      rowHeight={Math.max(44, sides * ROW_HEIGHT + 12)}
      keyOf={(one) => one.key}
      openKey={state.openCase || undefined}
      onOpen={(one) => change({ case: one.key, row: null }, state.openCase !== "")}
      onEnd={onEnd}
      footer={<p class="list-end hint">{note}</p>}
    />
  );
}

export function short(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "string") return value.slice(0, 500);
  const entries = Object.entries(value);
  // The one text of an object says it all.
  if (entries.length === 1 && typeof entries[0]![1] === "string") return entries[0]![1].slice(0, 500);
  return JSON.stringify(value).slice(0, 500);
}

function Moves({ one }: { one: Case }) {
  return (
    <span class="moves number">
      {one.improvements > 0 && <span class="delta good" title="scores that got better">{one.improvements}↑</span>}
      {one.regressions > 0 && <span class="delta bad" title="scores that got worse">{one.regressions}↓</span>}
    </span>
  );
}

/** One line for each experiment, in its colour. */
function Stack({ ids, one, render }: { ids: string[]; one: Case; render: (side: CaseSide) => preact.ComponentChildren }) {
  return (
    <span class="stack">
      {ids.map((id, number) => {
        const side = one.sides.find((each) => each.experiment_id === id);
        return <span key={id} class="stack-line" style={{ height: `${ROW_HEIGHT}px` }}>{ids.length > 1 && <span class={`swatch c${number % COLOURS}`} />}{side && side.trials > 0 ? render(side) : <span class="hint">–</span>}</span>;
      })}
    </span>
  );
}

export function Output({ side }: { side: CaseSide }) {
  const trials = side.rows ?? [];
  const failed = trials.find((trial) => trial.error);
  const more = side.trials > 1 ? <span class="tag">{side.trials} trials</span> : null;
  if (failed) return <><span class="ellipsis bad">{failed.error}</span>{more}</>;
  return <><span class="ellipsis">{short(trials[0]?.output)}</span>{more}</>;
}

export function ScoreOf({ measure, one, side, baseId }: { measure: Measure; one: Case; side: CaseSide; baseId: string }) {
  const value = side.scores?.[measure.name];
  if (value === undefined) return <span class="hint">–</span>;
  const before = side.experiment_id === baseId ? undefined : one.sides.find((each) => each.experiment_id === baseId)?.scores?.[measure.name];
  const moved = before === undefined ? undefined : value - before;
  const kind = direction(measure.is_lower_better, moved);
  return <span class="number">{score(value)} {kind && <span class={`delta ${kind}`}>{signed(measure, true, moved)}</span>}</span>;
}
