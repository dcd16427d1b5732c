// Selected rows into a dataset, with a look at what they will be before anything is written.
import { useState } from "preact/hooks";
import { counted, whole } from "../../lib/format";
import { useLoaded } from "../../lib/load";
import { listDatasets, promote, type Promotion } from "../../lib/promote";
import { text } from "../../lib/sql";
import { Button, Dialog, ErrorBox, Field, Spinner, toast } from "../../ui/basics";
import { JsonTree } from "../../ui/json";
import { useSubmit } from "../../ui/submit";

const SHOWN_ROWS = 5;
const DATASET_NAME = "last-dataset";

interface Props {
  project: string;
  /** Chooses the rows. */
  where: string;
  relation?: "logs" | "eval_rows";
  onClose: () => void;
  onDone: () => void;
}

export function PromoteDialog({ project, where, relation = "logs", onClose, onDone }: Props) {
  const [dataset, setDataset] = useState(localStorage.getItem(`spanloop.${DATASET_NAME}`) ?? "");
  const [input, setInput] = useState("input");
  const [expected, setExpected] = useState("");
  const known = useLoaded(project, () => listDatasets(project));
  const fields = { ...(input.trim() && input.trim() !== "input" ? { input } : {}), ...(expected.trim() ? { expected } : {}) };
  const promotion: Promotion = { project, source: relation, where, dataset: dataset.trim() || "preview", fields };
  const trial = useLoaded(JSON.stringify(promotion), (signal) => promote(promotion, true, signal));
  const { isBusy, submit } = useSubmit("The rows were not added", async () => {
    const done = await promote(promotion, false);
    localStorage.setItem(`spanloop.${DATASET_NAME}`, promotion.dataset);
    toast(done.inserted ? `${counted(done.inserted, "row")} added to ${promotion.dataset}` : `${promotion.dataset} had these rows already`);
    onDone();
    onClose();
  });
  return (
    <Dialog title="Add to a dataset" wide onClose={onClose}>
      <form class="promote" onSubmit={submit}>
        <Field label="Dataset" hint="A new name makes a new dataset.">
          {(id) => (
            <>
              <input id={id} list="datasets" required autofocus placeholder="golden answers" value={dataset} onInput={(event) => setDataset(event.currentTarget.value)} />
              <datalist id="datasets">{known.data?.map((one) => <option key={one.id} value={one.name} />)}</datalist>
            </>
          )}
        </Field>
        <div class="promote-fields">
          <Field label="Input, in SQL">{(id) => <input id={id} value={input} spellcheck={false} onInput={(event) => setInput(event.currentTarget.value)} />}</Field>
          <Field label="Expected, in SQL">{(id) => <input id={id} value={expected} spellcheck={false} placeholder="the expected value, else the output" onInput={(event) => setExpected(event.currentTarget.value)} />}</Field>
        </div>
        <h3>As they will be {trial.isLoading && <Spinner />}</h3>
        {trial.error !== undefined && <ErrorBox error={trial.error} />}
        {trial.data && <p class="hint">{counted(trial.data.matched, "row")}, {whole(trial.data.inserted)} of them new{trial.data.rejected > 0 && `, ${whole(trial.data.rejected)} refused by the dataset's schema: ${trial.data.errors[0] ?? ""}`}</p>}
        {trial.data?.rows.slice(0, SHOWN_ROWS).map((row) => (
          <div class="promote-row" key={row.id}>
            <div><span class="hint">input</span><JsonTree value={row.input ?? null} depth={1} /></div>
            <div><span class="hint">expected</span><JsonTree value={row.expected ?? null} depth={1} /></div>
          </div>
        ))}
        <div class="row-start">
          <Button type="submit" kind="primary" disabled={isBusy || !dataset.trim() || trial.error !== undefined}>{isBusy ? "Adding…" : `Add ${trial.data ? counted(trial.data.inserted, "row") : "rows"}`}</Button>
          <Button kind="quiet" onClick={onClose}>Cancel</Button>
        </div>
      </form>
    </Dialog>
  );
}

/** The condition that these rows and no others meet. */
export function theseRows(spanIds: string[]): string {
  return `span_id IN (${spanIds.map(text).join(", ")})`;
}
