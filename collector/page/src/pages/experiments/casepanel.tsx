// One case: its input, the outputs against the base's word by word, every trial, and the ways to their traces.
import { useState } from "preact/hooks";
import { duration, score } from "../../lib/format";
import { useKey } from "../../lib/keys";
import { addressOf, place } from "../../lib/router";
import { Button, CopyButton, Segmented } from "../../ui/basics";
import { COLOURS } from "../../ui/charts";
import { TextDiff } from "../../ui/textdiff";
import { Rendered, ValueView } from "../../ui/value";
import type { Case, CaseSide, Comparison, Trial } from "./api";
import { outputOf } from "./casegrid";
import { ScoreOf } from "./caselist";
import { change, type CompareState } from "./state";

interface Props {
  state: CompareState;
  data: Comparison;
  one: Case;
}

type Look = "diff" | "whole";

export function CasePanel({ state, data, one }: Props) {
  const look: Look = place.value.query.get("look") === "whole" ? "whole" : "diff";
  const setLook = (next: Look) => change({ look: next === "whole" ? next : null }, true);
  const at = data.cases.indexOf(one);
  const close = () => change({ case: null, row: null, look: null });
  useKey("Escape", "Close the case", close);
  useKey("d", "Differences or whole outputs", () => setLook(look === "diff" ? "whole" : "diff"));
  const step = (by: number) => data.cases[at + by] && change({ case: data.cases[at + by]!.key, row: null }, true);
  const origin = one.sides.flatMap((side) => side.rows ?? []).find((trial) => trial.origin?.id)?.origin;
  return (
    <aside class="split-panel" aria-label="Case">
      <header class="trace-head">
        <Button kind="quiet" icon="close" label="Close (Esc)" onClick={close} />
        <Button kind="quiet" icon="up" label="Case before (k)" disabled={at <= 0} onClick={() => step(-1)} />
        <Button kind="quiet" icon="down" label="Next case (j)" disabled={at >= data.cases.length - 1} onClick={() => step(1)} />
        <h2 class="ellipsis">Case {at + 1} of {data.case_count}</h2>
        <span class="grow" />
        {data.experiments.length > 1 && <Segmented label="Show outputs as" value={look} onChange={setLook} options={[["diff", "Difference"], ["whole", "Whole"]]} />}
        <CopyButton icon="link" label="Copy the address" text={() => location.href} />
      </header>
      <div class="detail-body">
        <ValueView title="Input" text={JSON.stringify(one.input ?? null)} />
        {one.expected !== undefined && one.expected !== null && <ValueView title="Expected" text={JSON.stringify(one.expected)} role="assistant" />}
        {data.experiments.map((side, number) => {
          const found = one.sides.find((each) => each.experiment_id === side.experiment.id);
          return <SideView key={side.experiment.id} name={side.experiment.name} number={number} data={data} one={one} side={found} look={look} />;
        })}
        {origin?.object_type === "dataset" && <p>The case comes from <a href={addressOf(`datasets/${origin.object_id}`, { row: origin.id ?? "" })}>a row of the dataset</a>{state.project && ", where its own origin is"}.</p>}
      </div>
    </aside>
  );
}

function SideView({ name, number, data, one, side, look }: { name: string; number: number; data: Comparison; one: Case; side: CaseSide | undefined; look: Look }) {
  const [showsAll, setShowsAll] = useState(false);
  const trials = side?.rows ?? [];
  const base = side?.experiment_id === data.base_id ? undefined : one.sides.find((each) => each.experiment_id === data.base_id)?.rows?.[0];
  const shown = showsAll ? trials : trials.slice(0, 1);
  return (
    <section class="value" aria-label={`Output of ${name}`}>
      <header>
        <span class={`swatch c${number % COLOURS}`} />
        <h3 class="ellipsis">{name}</h3>
        <span class="grow" />
        {side?.metrics?.["duration"] !== undefined && <span class="hint number">{duration(side.metrics["duration"])}</span>}
        {trials.length > 1 && <Button kind="quiet" icon={showsAll ? "up" : "down"} onClick={() => setShowsAll(!showsAll)}>{showsAll ? "One trial" : `${trials.length} trials`}</Button>}
      </header>
      <div class="value-body">
        {!side?.trials && <p class="hint">This case is not in the experiment.</p>}
        {side && <div class="case-scores">{data.scores.map((measure) => side.scores?.[measure.name] !== undefined && <span key={measure.name} class="case-score"><span class="hint">{measure.name}</span> <ScoreOf measure={measure} one={one} side={side} baseId={data.base_id} /></span>)}</div>}
        {shown.map((trial, at) => <TrialView key={trial.id} trial={trial} base={base} look={look} title={trials.length > 1 ? `Trial ${at + 1}` : ""} showsScores={showsAll} />)}
      </div>
    </section>
  );
}

function TrialView({ trial, base, look, title, showsScores }: { trial: Trial; base: Trial | undefined; look: Look; title: string; showsScores: boolean }) {
  const isText = look === "diff" && base !== undefined;
  return (
    <div class="trial">
      <div class="row-start">
        {title && <strong>{title}</strong>}
        {showsScores && Object.entries(trial.scores).map(([name, value]) => <span key={name} class="hint number">{name} {score(value)}</span>)}
        <button type="button" class="link" onClick={() => change({ r: trial.trace_id, s: trial.id })}>Open the trace</button>
      </div>
      {trial.error && <p class="bad">{trial.error}</p>}
      {isText ? <div class="case-output"><TextDiff before={outputOf(base)} after={outputOf(trial)} /></div> : !trial.error && <Rendered value={trial.output ?? null} role="assistant" />}
    </div>
  );
}
