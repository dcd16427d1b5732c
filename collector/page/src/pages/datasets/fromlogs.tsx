// Rows of production into a dataset by SQL, with a look at them first.
import { useState } from "preact/hooks";
import { counted, whole } from "../../lib/format";
import { useLoadedAfterPause } from "../../lib/load";
import { promote, type Promotion } from "../../lib/promote";
import { errorPosition } from "../../lib/sql";
import { Button, Dialog, ErrorBox, Field, Spinner, toast } from "../../ui/basics";
import { SqlInput } from "../../ui/sqlinput";
import { useSubmit } from "../../ui/submit";
import { RowPreview } from "./import";

const SHOWN_ROWS = 5;
const FIRST_WHERE = "is_root AND error = ''";

export function FromLogs({ project, dataset, onClose, onDone }: { project: string; dataset: string; onClose: () => void; onDone: () => void }) {
  const [where, setWhere] = useState(FIRST_WHERE);
  const [limit, setLimit] = useState(100);
  const [fields, setFields] = useState({ input: "", expected: "" });
  const asked = Object.fromEntries(Object.entries(fields).filter(([, sql]) => sql.trim()));
  const promotion: Promotion & { limit: number } = { project, source: "logs", where, dataset, fields: asked, limit };
  const trial = useLoadedAfterPause(JSON.stringify(promotion), (signal) => promote(promotion, true, signal));
  const { isBusy, submit } = useSubmit("The rows were not added", async () => {
    const done = await promote(promotion, false);
    toast(done.inserted ? `${counted(done.inserted, "row")} added` : "The dataset had these rows already");
    onDone();
    onClose();
  });
  return (
    <Dialog title={`From logs into ${dataset}`} wide onClose={onClose}>
      <form class="promote" onSubmit={submit}>
        <div class="field">
          <span>Which rows, in SQL</span>
          <div class="filter-field"><SqlInput isOneLine label="Which rows, in SQL" hint="scores['helpfulness'] < 0.5" value={where} onChange={setWhere} onSubmit={() => undefined} errorAt={trial.error ? errorPosition(trial.error, where) : null} /></div>
        </div>
        <div class="promote-fields">
          <Field label="Input, in SQL">{(id) => <input id={id} spellcheck={false} placeholder="input" value={fields.input} onInput={(event) => setFields({ ...fields, input: event.currentTarget.value })} />}</Field>
          <Field label="Expected, in SQL">{(id) => <input id={id} spellcheck={false} placeholder="the expected value, else the output" value={fields.expected} onInput={(event) => setFields({ ...fields, expected: event.currentTarget.value })} />}</Field>
          <Field label="Rows at most" hint="Chosen by hash: the same each time.">{(id) => <input id={id} type="number" min={1} max={100000} value={limit} onInput={(event) => setLimit(Math.max(1, Number(event.currentTarget.value) || 1))} />}</Field>
        </div>
        <h3>As they will be {trial.isLoading && <Spinner />}</h3>
        {trial.error !== undefined && <ErrorBox error={trial.error} />}
        {trial.data && trial.error === undefined && <p class="hint">{counted(trial.data.matched, "matching row")}, {whole(trial.data.inserted)} of them new here{trial.data.rejected > 0 && `, ${whole(trial.data.rejected)} refused by the schema: ${trial.data.errors[0] ?? ""}`}</p>}
        {trial.error === undefined && trial.data?.rows.slice(0, SHOWN_ROWS).map((row) => <RowPreview key={row.id} row={row as Parameters<typeof RowPreview>[0]["row"]} />)}
        <div class="row-start">
          <Button type="submit" kind="primary" disabled={isBusy || trial.isLoading || trial.error !== undefined || !trial.data?.inserted}>{isBusy ? "Adding…" : `Add ${trial.data ? counted(trial.data.inserted, "row") : "rows"}`}</Button>
          <Button kind="quiet" onClick={onClose}>Cancel</Button>
        </div>
      </form>
    </Dialog>
  );
}
