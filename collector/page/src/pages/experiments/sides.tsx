// The experiments that are compared: their colours, their sizes, which one the others are measured against.
import { ago, counted, whole } from "../../lib/format";
import { useLoaded } from "../../lib/load";
import { addressOf, place } from "../../lib/router";
import { COLOURS } from "../../ui/charts";
import { ErrorBox, Menu, MenuItem, Spinner, toast, toastError } from "../../ui/basics";
import { Icon } from "../../ui/icons";
import { type Compared, type Comparison, listExperiments, setBase } from "./api";
import { change, type CompareState } from "./state";

export function Sides({ state, data }: { state: CompareState; data: Comparison }) {
  return (
    <div class="sides" role="list" aria-label="Experiments">
      {data.experiments.map((side, number) => <Side key={side.experiment.id} side={side} number={number} state={state} data={data} />)}
      <AddMenu state={state} data={data} />
    </div>
  );
}

function Side({ side, number, state, data }: { side: Compared; number: number; state: CompareState; data: Comparison }) {
  const { experiment } = side;
  const isBase = data.base_id === experiment.id && data.experiments.length > 1;
  const isNamed = state.names.slice(1).some((name) => name === experiment.name || name === experiment.id);
  const remove = () => change({ with: state.names.slice(1).filter((name) => name !== experiment.name && name !== experiment.id), base: isBase ? null : state.base });
  const keep = async () => {
    try {
      await setBase(state.project, data.experiments[0]!.experiment.id, experiment.id);
      toast(`${data.experiments[0]!.experiment.name} is compared with ${experiment.name} from now on`);
    } catch (error) {
      toastError("The base was not kept", error);
    }
  };
  const { repo_info: repo } = experiment;
  return (
    <div class="side" role="listitem">
      <span class={`swatch c${number % COLOURS}`} />
      <span class="two-lines">
        <span class="side-name"><a class="ellipsis" href={addressOf(`experiments/${experiment.name}`)}>{experiment.name}</a>{isBase && <span class="tag">base, {data.base_reason || "chosen"}</span>}{!experiment.finished && <span class="tag" title="Its run has not said that it is over">not finished</span>}</span>
        <span class="hint ellipsis">
          {counted(side.cases, "case")}{side.trials !== side.cases && `, ${counted(side.trials, "trial")}`}{side.errors > 0 && <span class="bad">, {whole(side.errors)} failed</span>} · {ago(Date.parse(experiment.created))}{repo?.branch && ` · ${repo.branch}`}{repo?.commit && ` @ ${repo.commit.slice(0, 7)}`}{repo?.dirty && "+"}
        </span>
      </span>
      <Menu align="right" kind="quiet icon-only" label={`More about ${experiment.name}`} button={<Icon name="more" />}>
        {(close) => (
          <>
            {!isBase && <MenuItem onClick={() => (change({ base: experiment.name, with: withBase(state, experiment.name) }), close())}>Measure the others against it</MenuItem>}
            {isBase && number > 0 && <MenuItem onClick={() => (void keep(), close())}>Keep as the base of {data.experiments[0]!.experiment.name}</MenuItem>}
            {isNamed && <MenuItem icon="close" onClick={() => (remove(), close())}>Take it away</MenuItem>}
            {experiment.dataset_id && <MenuItem icon="datasets" onClick={() => location.assign(addressOf(`datasets/${experiment.dataset_id}`, { version: experiment.dataset_version }))}>Its dataset, as it was</MenuItem>}
          </>
        )}
      </Menu>
    </div>
  );
}

/** The base stays among the named ones, so that it is shown whoever stands first. */
function withBase(state: CompareState, base: string): string[] {
  const others = state.names.slice(1);
  return others.includes(base) || state.names[0] === base ? others : [...others, base];
}

function AddMenu({ state, data }: { state: CompareState; data: Comparison }) {
  return (
    <Menu kind="quiet" label="Add an experiment to the comparison" button={<><Icon name="plus" /> Add</>}>
      {(close) => <Choices state={state} data={data} close={close} />}
    </Menu>
  );
}

function Choices({ state, data, close }: { state: CompareState; data: Comparison; close: () => void }) {
  const found = useLoaded(state.project, (signal) => listExperiments(state.project, signal));
  const shown = new Set(data.experiments.map((side) => side.experiment.id));
  if (found.error !== undefined) return <ErrorBox error={found.error} />;
  if (!found.data) return <div class="menu-note"><Spinner /></div>;
  const others = found.data.filter((one) => !shown.has(one.id));
  if (!others.length) return <div class="menu-note">There is no other experiment.</div>;
  // The base that was chosen by itself must be named now, or the last one named would take its place.
  const base = state.base || data.experiments.find((side) => side.experiment.id === data.base_id)?.experiment.name || "";
  return <>{others.map((one) => <MenuItem key={one.id} hint={ago(Date.parse(one.created))} onClick={() => (change({ with: [...place.value.query.getAll("with"), one.name], base }), close())}>{one.name}</MenuItem>)}</>;
}
