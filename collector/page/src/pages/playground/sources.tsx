// Where the inputs come from: pasted, or rows of a dataset at a version.
import { useLoaded } from "../../lib/load";
import { ago, whole } from "../../lib/format";
import { addressOf } from "../../lib/router";
import { Segmented } from "../../ui/basics";
import { type Dataset, listDatasets, listVersions } from "../datasets/api";
import { change, config, type Format, type Inputs, MAX_ROWS, MAX_TRIALS, wholeWithin } from "./config";
import { guessFormat } from "./inputs";
import type { FoundInputs } from "./index";

const FORMATS: readonly (readonly [Format, string])[] = [["lines", "Lines"], ["text", "One text"], ["json", "JSON"], ["csv", "CSV"]];

const EXAMPLES: Record<Format, string> = {
  lines: "Where is my order?\nCan I get a refund?",
  text: "One input, however long it is.",
  json: '{"input": "Where is my order?", "expected": "…"}\n{"question": "A refund?", "tone": "kind"}',
  csv: "question,expected\nWhere is my order?,On its way.",
};

const HINTS: Record<Format, string> = {
  lines: "Each line is an input: {{input}}.",
  text: "The whole text is one input: {{input}}.",
  json: "Objects, one a line or in a list. Fields other than input, expected and metadata are {{names}} of their own.",
  csv: "The first line names the columns. Columns other than input, expected and metadata are {{names}} of their own.",
};

const set = (changes: Partial<Inputs>) => change({ inputs: { ...config.value.inputs, ...changes } });

export function InputsPanel({ project, found }: { project: string; found: FoundInputs }) {
  const { inputs, trials } = config.value;
  return (
    <section class="bench-panel" aria-label="Inputs">
      <header>
        <h2>Inputs</h2>
        <span class="hint">{found.data && `${whole(found.data.rows.length)}`}</span>
        <span class="grow" />
        <Segmented label="Where the inputs come from" value={inputs.kind} onChange={(kind) => set({ kind })} options={[["pasted", "Pasted"], ["dataset", "Dataset"]]} />
      </header>
      {inputs.kind === "pasted" ? <Pasted inputs={inputs} /> : <FromDataset project={project} inputs={inputs} />}
      <div class="bench-line">
        <label title="How often each variant answers each input">Trials of each<input type="number" min={1} max={MAX_TRIALS} value={trials} onChange={(event) => change({ trials: wholeWithin(event.currentTarget.value, MAX_TRIALS, 1) })} /></label>
      </div>
      {found.problem && <p class="bad" role="alert">{found.problem}</p>}
    </section>
  );
}

function Pasted({ inputs }: { inputs: Inputs }) {
  const write = (text: string) => set(inputs.text.trim() ? { text } : { text, format: guessFormat(text) });
  return (
    <>
      <textarea class="bench-inputs" aria-label="Pasted inputs" rows={5} value={inputs.text} placeholder={EXAMPLES[inputs.format]} spellcheck={false} onInput={(event) => write(event.currentTarget.value)} />
      <Segmented label="How the text is read" value={inputs.format} onChange={(format) => set({ format })} options={FORMATS} />
      <p class="hint">{inputs.text.trim() ? HINTS[inputs.format] : "Without inputs, the prompt runs once as it is."}</p>
    </>
  );
}

function FromDataset({ project, inputs }: { project: string; inputs: Inputs }) {
  const found = useLoaded(project, (signal) => listDatasets(project, signal));
  const chosen = found.data?.find((one) => one.name === inputs.dataset);
  if (found.data?.length === 0) return <p class="hint">There is no dataset yet. <a href={addressOf("datasets")}>Make one</a>, or add rows of the <a href={addressOf("logs")}>logs</a> to one.</p>;
  return (
    <>
      <select aria-label="Dataset" value={inputs.dataset} onChange={(event) => set({ dataset: event.currentTarget.value, version: "" })}>
        <option value="">Choose a dataset</option>
        {found.data?.map((one) => <option key={one.id} value={one.name}>{one.name} ({whole(one.row_count)})</option>)}
      </select>
      <div class="bench-line">
        <VersionField dataset={chosen} version={inputs.version} />
        <label>At most<input type="number" min={1} max={MAX_ROWS} value={inputs.limit} onChange={(event) => set({ limit: wholeWithin(event.currentTarget.value, MAX_ROWS, 20) })} /></label>
      </div>
      {chosen && <p class="hint"><a href={addressOf(`datasets/${chosen.name}`)}>Look at its rows</a></p>}
    </>
  );
}

function VersionField({ dataset, version }: { dataset: Dataset | undefined; version: string }) {
  const found = useLoaded(dataset ? `${dataset.id} ${dataset.version}` : null, (signal) => listVersions(dataset!.id, signal));
  const known = found.data ?? [];
  const isElsewhere = version !== "" && !known.some((one) => one.version === version);
  return (
    <label>
      Version
      <select value={version} disabled={!dataset} onChange={(event) => set({ version: event.currentTarget.value })}>
        <option value="">newest</option>
        {isElsewhere && <option value={version}>{version}</option>}
        {known.map((one) => <option key={one.version} value={one.version}>{one.snapshots.join(", ") || ago(Number(BigInt(one.version) / 1_000_000n))}</option>)}
      </select>
    </label>
  );
}
