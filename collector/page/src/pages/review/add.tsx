// Rows into a queue by SQL, with a look at them first.
import { useState } from "preact/hooks";
import { counted, whole } from "../../lib/format";
import { useLoadedAfterPause } from "../../lib/load";
import { setQuery } from "../../lib/router";
import { errorPosition } from "../../lib/sql";
import { Button, Dialog, ErrorBox, Field, Segmented, Spinner, toast } from "../../ui/basics";
import { SqlInput } from "../../ui/sqlinput";
import { useSubmit } from "../../ui/submit";
import { me } from "../logs/me";
import { candidates, type Filter, queueRows, type Source } from "./api";

const FIRST_WHERE: Record<Source, string> = {
  logs: "is_root AND created > now() - INTERVAL 1 DAY AND error != ''",
  eval_rows: "is_root AND arrayExists(score -> score < 0.5, mapValues(scores))",
  dataset_rows: "expected = ''",
};
const SOURCES = [["logs", "Production"], ["eval_rows", "Experiments"], ["dataset_rows", "Datasets"]] as const;

export function AddDialog({ filter, onDone }: { filter: Filter; onDone: () => void }) {
  const { project } = filter;
  const [source, setSource] = useState<Source>("logs");
  const [where, setWhere] = useState(FIRST_WHERE.logs);
  const [queue, setQueue] = useState(filter.queue || "default");
  const [assignee, setAssignee] = useState(filter.assignee);
  const [limit, setLimit] = useState(100);
  const close = () => setQuery({ add: null }, { replace: true });
  const trial = useLoadedAfterPause(JSON.stringify([source, where]), (signal) => candidates({ project, source, where }, signal));
  const count = trial.error === undefined ? trial.data?.count : undefined;
  const { isBusy, submit } = useSubmit("The rows were not queued", async () => {
    const { queued, known } = await queueRows({ project, queue: queue.trim(), source, where, limit, assignee: assignee.trim(), reviewer: me.value });
    toast(`${counted(queued, "row")} queued${known ? `, ${whole(known)} there already` : ""}`);
    onDone();
    close();
  });
  return (
    <Dialog title="Add rows to review" wide onClose={close}>
      <form class="promote" onSubmit={submit}>
        <Segmented label="Where the rows are" value={source} onChange={(next) => (setSource(next), setWhere(FIRST_WHERE[next]))} options={SOURCES} />
        <div class="field">
          <span class="field-label">Which rows, in SQL</span>
          <div class="filter-field"><SqlInput key={source} isOneLine label="Which rows, in SQL" hint="scores['helpful'] < 0.5" value={where} onChange={setWhere} onSubmit={() => undefined} errorAt={trial.error ? errorPosition(trial.error, where) : null} /></div>
        </div>
        <div class="promote-fields">
          <Field label="Queue">{(id) => <input id={id} value={queue} onInput={(event) => setQueue(event.currentTarget.value)} />}</Field>
          <Field label="Assigned to" hint="Empty: anyone.">{(id) => <input id={id} value={assignee} onInput={(event) => setAssignee(event.currentTarget.value)} />}</Field>
          <Field label="Rows at most" hint="The newest.">{(id) => <input id={id} type="number" min={1} max={100000} value={limit} onInput={(event) => setLimit(Math.max(1, Number(event.currentTarget.value) || 1))} />}</Field>
        </div>
        {trial.error !== undefined && <ErrorBox error={trial.error} />}
        <p class="hint">{trial.isLoading ? <Spinner /> : count !== undefined && `${counted(count, "matching row")}${count > limit ? `, the newest ${whole(limit)} are queued` : ""}`}</p>
        {trial.error === undefined && trial.data && trial.data.previews.length > 0 && <ul class="candidates" aria-label="The newest of them">{trial.data.previews.map((preview, at) => <li key={at}>{preview || "(no input)"}</li>)}</ul>}
        <div class="row-start">
          <Button type="submit" kind="primary" disabled={isBusy || !count}>{isBusy ? "Adding…" : `Add ${count === undefined ? "rows" : counted(Math.min(count, limit), "row")}`}</Button>
          <Button kind="quiet" onClick={close}>Cancel</Button>
        </div>
      </form>
    </Dialog>
  );
}
