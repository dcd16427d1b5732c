// One row of a dataset, edited in place: input, expected, metadata, tags.
import { useState } from "preact/hooks";
import { useLoaded } from "../../lib/load";
import { addressOf, setQuery } from "../../lib/router";
import { text } from "../../lib/sql";
import { Button, CopyButton, Empty, ErrorBox, Spinner, toast, toastError } from "../../ui/basics";
import { pretty } from "../../ui/json";
import { ValueView } from "../../ui/value";
import { type Dataset, type DatasetRow, deleteRows, fetchRows, writeRows } from "./api";
import { Uses } from "./uses";

interface Props {
  dataset: Dataset;
  version: string;
  /** Empty for a row that is yet to be written. */
  id: string;
  onChanged: () => void;
}

export function RowPanel(props: Props) {
  const { dataset, version, id } = props;
  const found = useLoaded(id ? `${dataset.id} ${id} ${version} ${dataset.version}` : null, async (signal) => (await fetchRows(dataset.id, { id, version }, signal)).rows[0] ?? null);
  const close = () => setQuery({ row: null });
  return (
    <aside class="split-panel" aria-label="Row">
      <header class="trace-head">
        <Button kind="quiet" icon="close" label="Close (Esc)" onClick={close} />
        <h2 class="ellipsis">{id || "New row"}</h2>
        <span class="grow" />
        {id && <CopyButton label="Copy the row's id" text={() => id} />}
        {id && <CopyButton icon="link" label="Copy the address" text={() => location.href} />}
      </header>
      {found.error !== undefined && <ErrorBox what="The row could not be read" error={found.error} />}
      {id && found.data === undefined && found.error === undefined && <div class="page-loading"><Spinner /></div>}
      {id && found.data === null && <Empty icon="search" title="There is no such row at this version"><p><a href={addressOf(`datasets/${dataset.name}`)}>All rows</a></p></Empty>}
      {!id && <Editor {...props} row={{ id: "" }} />}
      {found.data && (version ? <Earlier row={found.data} /> : <Editor {...props} row={found.data} />)}
    </aside>
  );
}

function Earlier({ row }: { row: DatasetRow }) {
  return (
    <div class="detail-body">
      <ValueView title="Input" text={JSON.stringify(row.input ?? null)} />
      <ValueView title="Expected" text={JSON.stringify(row.expected ?? null)} role="assistant" />
      <ValueView title="Metadata" text={JSON.stringify(row.metadata ?? {})} />
    </div>
  );
}

interface Draft {
  input: string;
  expected: string;
  metadata: string;
  tags: string;
}

function draftOf(row: DatasetRow): Draft {
  const shown = (value: unknown) => (value === undefined || value === null ? "" : pretty(value));
  return { input: shown(row.input), expected: shown(row.expected), metadata: row.metadata && Object.keys(row.metadata).length ? pretty(row.metadata) : "", tags: (row.tags ?? []).join(", ") };
}

function Editor({ dataset, row, onChanged }: Props & { row: DatasetRow }) {
  const before = draftOf(row);
  const [draft, setDraft] = useState(before);
  const [isBusy, setBusy] = useState(false);
  const isChanged = JSON.stringify(draft) !== JSON.stringify(before);
  const save = async () => {
    setBusy(true);
    try {
      const written = await writeRows(dataset.id, [rowOf(draft, row)], row.id ? { operation: "update" } : {});
      toast(written.unchanged ? "Nothing changed" : "Saved as a new version");
      setQuery({ row: written.results[0]!.id }, { replace: true });
      onChanged();
    } catch (error) {
      toastError("The row was not saved", error);
    }
    setBusy(false);
  };
  const remove = async () => {
    try {
      await deleteRows(dataset.id, [row.id]);
      toast("Deleted; earlier versions still have the row");
      setQuery({ row: null }, { replace: true });
      onChanged();
    } catch (error) {
      toastError("The row was not deleted", error);
    }
  };
  const keys = (event: KeyboardEvent) => {
    if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) void save();
  };
  return (
    <div class="detail-body" onKeyDown={keys}>
      {(["input", "expected", "metadata"] as const).map((name) => <TextField key={name} name={name} value={draft[name]} onChange={(value) => setDraft({ ...draft, [name]: value })} />)}
      <label class="field">Tags, with commas between them <input value={draft.tags} onInput={(event) => setDraft({ ...draft, tags: event.currentTarget.value })} /></label>
      <div class="row-start">
        <Button kind="primary" disabled={isBusy || !isChanged} onClick={save}>Save</Button>
        <Button kind="quiet" disabled={!isChanged} onClick={() => setDraft(before)}>Undo</Button>
        <span class="grow hint">JSON is kept as JSON, anything else as text. Ctrl+Enter saves.</span>
        {row.id && <Button kind="danger" icon="trash" label="Delete the row" onClick={remove} />}
      </div>
      {row.origin?.id && <Source origin={row.origin} />}
      {row.id && <Uses id={row.id} />}
    </div>
  );
}

const TITLES = { input: "Input", expected: "Expected", metadata: "Metadata, a JSON object" };

function TextField({ name, value, onChange }: { name: keyof typeof TITLES; value: string; onChange: (value: string) => void }) {
  const rows = Math.min(18, Math.max(3, value.split("\n").length + Math.floor(value.length / 90)));
  return <label class="field">{TITLES[name]} <textarea rows={rows} value={value} spellcheck={false} onInput={(event) => onChange(event.currentTarget.value)} /></label>;
}

/** The row as the draft says, but for what nobody touched; throws when its metadata is no object. */
function rowOf(draft: Draft, row: DatasetRow): DatasetRow {
  const before = draftOf(row);
  const metadata: unknown = draft.metadata.trim() ? parseObject(draft.metadata) : {};
  const tags = draft.tags.split(",").map((tag) => tag.trim()).filter(Boolean);
  const valueOf = (field: "input" | "expected") => (draft[field] === before[field] ? (row[field] ?? null) : edited(draft[field], row[field]));
  return { id: row.id, input: valueOf("input"), expected: draft.expected.trim() ? valueOf("expected") : null, metadata: metadata as Record<string, unknown>, tags };
}

/** What was a text stays one, even when it looks like a number now. */
function edited(draft: string, before: unknown): unknown {
  if (typeof before === "string" && !/^\s*[[{"]/.test(draft)) return draft;
  try {
    return JSON.parse(draft);
  } catch {
    return draft;
  }
}

function parseObject(draft: string): object {
  let value: unknown;
  try {
    value = JSON.parse(draft);
  } catch (error) {
    throw new Error(`metadata is no JSON: ${(error as Error).message}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error('metadata must be an object such as {"topic": "refund"}');
  return value;
}

function Source({ origin }: { origin: NonNullable<DatasetRow["origin"]> }) {
  if (origin.object_type === "project_logs") return <p>Copied from production: <a href={addressOf("logs", { v: "spans", f: `id = ${text(origin.id ?? "")}`, t: "90d" })}>the log row</a></p>;
  const page = origin.object_type === "experiment" ? "experiments" : "datasets";
  return <p>Copied from <a href={addressOf(`${page}/${origin.object_id}`, { row: origin.id ?? "" })}>{origin.object_type} {origin.object_id}</a></p>;
}
