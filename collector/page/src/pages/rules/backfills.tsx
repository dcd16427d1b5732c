// Rows of the past put through a rule: started here, watched while they are queued and scored, stopped.
import { useState } from "preact/hooks";
import { counted, moment, whole } from "../../lib/format";
import { useLoaded } from "../../lib/load";
import { Button, ErrorBox, Field, Spinner, toastError } from "../../ui/basics";
import { type Backfill, type BackfillWish, listBackfills, type Rule, startBackfill, stopBackfill, useRefresh } from "./api";
import { SqlField } from "./form";

const WATCH_MS = 1000;

export function Backfills({ rule }: { rule: Rule }) {
  const found = useLoaded(`${rule.project} ${rule.name}`, (signal) => listBackfills(rule, signal));
  useRefresh(found, found.data?.some(isUnderWay) ? WATCH_MS : null);
  return (
    <>
      <StartForm rule={rule} onStarted={found.reload} />
      {found.error !== undefined && <ErrorBox what="The backfills could not be read" error={found.error} onRetry={found.reload} />}
      {!found.data && found.isLoading && <div class="page-loading"><Spinner /></div>}
      {found.data?.length === 0 && <p class="hint">No backfill yet. It goes on by itself when this page is closed, and where it was after a crash.</p>}
      {found.data && found.data.length > 0 && <ul class="backfills" aria-label="Backfills">{found.data.map((one) => <Line key={one.id} rule={rule} backfill={one} reload={found.reload} />)}</ul>}
    </>
  );
}

function isUnderWay({ state, queued, done }: Backfill): boolean {
  return state === "running" || (state !== "failed" && done < queued);
}

function Line({ rule, backfill, reload }: { rule: Rule; backfill: Backfill; reload: () => void }) {
  const { state, matched, queued, done, error } = backfill;
  const stop = async () => {
    try {
      await stopBackfill(rule, backfill.id);
      reload();
    } catch (problem) {
      toastError("The backfill was not stopped", problem);
    }
  };
  const from = Date.parse(backfill.since);
  return (
    <li class="backfill">
      <div class="row-start">
        {isUnderWay(backfill) ? <Spinner label="Under way" /> : null}
        <strong>{words(backfill)}</strong>
        <span class="hint">{from > 0 ? moment(from) : "the oldest row"} – {moment(Date.parse(backfill.until))}</span>
        <span class="grow" />
        {state === "running" && <Button icon="stop" onClick={stop}>Stop</Button>}
      </div>
      <progress aria-label="Scored of what is queued" max={Math.max(1, queued)} value={queued ? done : state === "queued" ? 1 : 0} />
      <span class="hint">{counted(matched, "row")} matched, {counted(queued, "call")} queued, {whole(done)} done</span>
      {error && <p class="bad">{error}</p>}
    </li>
  );
}

function words(backfill: Backfill): string {
  if (backfill.state === "running") return "Queueing rows";
  if (backfill.state === "failed") return "Failed";
  const end = backfill.state === "stopped" ? "Stopped" : "Done";
  return isUnderWay(backfill) ? `${backfill.state === "stopped" ? "Stopped; s" : "S"}coring what is queued` : end;
}

function StartForm({ rule, onStarted }: { rule: Rule; onStarted: () => void }) {
  const [since, setSince] = useState("");
  const [until, setUntil] = useState("");
  const [filter, setFilter] = useState("");
  const [wish, setWish] = useState({ all: false, again: false, failed: false });
  const [error, setError] = useState<unknown>(undefined);
  const [isBusy, setBusy] = useState(false);
  const start = async () => {
    setBusy(true);
    setError(undefined);
    try {
      await startBackfill(rule, { ...wish, filter: filter.trim(), ...window(since, until) });
      onStarted();
    } catch (problem) {
      setError(problem);
    }
    setBusy(false);
  };
  const check = (name: keyof typeof wish, label: string) => <label class="check"><input type="checkbox" checked={wish[name]} onChange={(event) => setWish({ ...wish, [name]: event.currentTarget.checked })} /> {label}</label>;
  return (
    <form class="panel backfill-form" aria-label="New backfill" onSubmit={(event) => (event.preventDefault(), void start())}>
      <header><h3>Put past rows through the rule</h3></header>
      <div class="fields-row">
        <Field label="From" hint="Empty: from the oldest row.">{(id) => <input id={id} type="datetime-local" step="1" value={since} onInput={(event) => setSince(event.currentTarget.value)} />}</Field>
        <Field label="Until" hint="Empty: until now.">{(id) => <input id={id} type="datetime-local" step="1" value={until} onInput={(event) => setUntil(event.currentTarget.value)} />}</Field>
      </div>
      <SqlField label="Only rows where, in SQL" hint="metadata['plan'] = 'pro'" field="filter" error={error} value={filter} onChange={setFilter} onSubmit={start} />
      <div class="checks">
        {check("all", "Every row that matches, not only the sample")}
        {check("again", "Also rows that were scored already")}
        {check("failed", "Only rows where the rule failed")}
      </div>
      {error !== undefined && (error as { field?: string }).field !== "filter" && <ErrorBox what="The backfill was not started" error={error} />}
      <div class="row-start"><Button type="submit" kind="primary" disabled={isBusy}>{isBusy ? "Starting…" : "Start the backfill"}</Button></div>
    </form>
  );
}

function window(since: string, until: string): BackfillWish {
  const time = (local: string) => new Date(local).toISOString();
  return { ...(since ? { since: time(since) } : {}), ...(until ? { until: time(until) } : {}) };
}
