// A file becomes rows: what each column is, a look at the result, then the writing in parts that can be stopped.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { isAbort } from "../../lib/api";
import { bytes, counted, whole } from "../../lib/format";
import { Button, Dialog, ErrorBox, Field, toast } from "../../ui/basics";
import { JsonTree } from "../../ui/json";
import { createDataset, type Dataset, type DatasetRow, writeRows } from "./api";
import { type FileRow, guessTargets, parseFile, type Target, TARGETS, toDatasetRow } from "./parse";

const MAX_FILE_BYTES = 100_000_000;
const MAX_PART_ROWS = 500;
const MAX_PART_BYTES = 1_500_000;
const SHOWN_ROWS = 3;

interface Props {
  project: string;
  file: File;
  /** Where the rows go; without one, a dataset of the file's name. */
  dataset?: Dataset;
  onClose: () => void;
  onDone: (name: string) => void;
}

export function ImportDialog({ project, file, dataset, onClose, onDone }: Props) {
  const [rows, setRows] = useState<FileRow[] | null>(null);
  const [targets, setTargets] = useState<Record<string, Target>>({});
  const [name, setName] = useState(dataset?.name ?? file.name.replace(/\.\w+$/, ""));
  const [error, setError] = useState<unknown>(null);
  const [done, setDone] = useState<number | null>(null);
  const abort = useRef<AbortController | null>(null);
  useEffect(() => {
    void readRows(file).then((read) => (setRows(read), setTargets(guessTargets(columnsOf(read)))), setError);
    return () => abort.current?.abort();
  }, [file]);
  const made = useMemo(() => rows?.map((row) => toDatasetRow(row, targets)) ?? [], [rows, targets]);
  const send = async (event: Event) => {
    event.preventDefault();
    const mine = (abort.current = new AbortController());
    setError(null);
    setDone(0);
    try {
      const into = dataset ?? (await createDataset(project, name.trim()));
      toast(await sendAll(into.id, made, mine.signal, setDone));
      onDone(into.name);
      onClose();
    } catch (reason) {
      if (!isAbort(reason)) setError(reason);
      setDone(null);
    }
  };
  return (
    <Dialog title={`Import ${file.name}`} wide onClose={onClose}>
      <form class="promote" onSubmit={send}>
        {error !== null && <ErrorBox what="The file was not imported" error={error} />}
        {rows && (
          <>
            <p class="hint">{counted(rows.length, "row")}, {bytes(file.size)}. Rows with an id that exists are replaced; the same file again changes nothing.</p>
            {!dataset && <Field label="Dataset" hint="A new name makes a new dataset.">{(id) => <input id={id} required value={name} onInput={(event) => setName(event.currentTarget.value)} />}</Field>}
            <Targets rows={rows} targets={targets} onChange={setTargets} />
            <h3>As they will be</h3>
            {made.slice(0, SHOWN_ROWS).map((row, at) => <RowPreview key={at} row={row} />)}
          </>
        )}
        <div class="row-start">
          <Button type="submit" kind="primary" disabled={!made.length || done !== null}>{`Import ${counted(made.length, "row")}`}</Button>
          {done === null ? <Button kind="quiet" onClick={onClose}>Cancel</Button> : <Button icon="stop" onClick={() => abort.current?.abort()}>Stop</Button>}
          {done !== null && <><progress aria-label="Rows sent" max={made.length} value={done} /><span class="hint">{whole(done)} of {whole(made.length)}</span></>}
        </div>
      </form>
    </Dialog>
  );
}

async function readRows(file: File): Promise<FileRow[]> {
  if (/\.(parquet|arrow|gz|zip)$/i.test(file.name)) throw new Error(`This page reads CSV and JSON. For other files: spanloop datasets import NAME ${file.name}`);
  if (file.size > MAX_FILE_BYTES) throw new Error(`${bytes(file.size)} are more than the ${bytes(MAX_FILE_BYTES)} that this page reads. For larger files: spanloop datasets import NAME ${file.name}`);
  const rows = parseFile(file.name, await file.text());
  if (!rows.length) throw new Error("There are no rows in the file.");
  return rows;
}

function columnsOf(rows: FileRow[]): string[] {
  return [...new Set(rows.slice(0, 1000).flatMap(Object.keys))];
}

function Targets({ rows, targets, onChange }: { rows: FileRow[]; targets: Record<string, Target>; onChange: (targets: Record<string, Target>) => void }) {
  return (
    <div class="scroll-x">
      <table class="plain-table">
        <thead><tr><th>Column</th><th>becomes</th><th>for example</th></tr></thead>
        <tbody>
          {columnsOf(rows).map((column) => (
            <tr key={column}>
              <td><code>{column}</code></td>
              <td>
                <select aria-label={`${column} becomes`} value={targets[column]} onChange={(event) => onChange({ ...targets, [column]: event.currentTarget.value as Target })}>
                  {[...TARGETS, "ignore"].map((target) => <option key={target}>{target}</option>)}
                </select>
              </td>
              <td><span class="preview">{sample(rows[0]?.[column])}</span></td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function sample(value: unknown): string {
  return (typeof value === "string" ? value : (JSON.stringify(value) ?? "")).slice(0, 160);
}

export function RowPreview({ row }: { row: DatasetRow }) {
  return (
    <div class="promote-row">
      <div><span class="hint">input</span><JsonTree value={row.input ?? null} depth={1} /></div>
      <div><span class="hint">expected</span><JsonTree value={row.expected ?? null} depth={1} /></div>
      {row.metadata && Object.keys(row.metadata).length > 0 && <div><span class="hint">metadata</span><JsonTree value={row.metadata} depth={1} /></div>}
    </div>
  );
}

/** Sends part after part, and says in words what came of it. */
async function sendAll(id: string, rows: DatasetRow[], signal: AbortSignal, onProgress: (done: number) => void): Promise<string> {
  let [inserted, updated, rejected, fault] = [0, 0, 0, ""];
  for (let at = 0; at < rows.length; ) {
    const part = nextPart(rows, at);
    const answer = await writeRows(id, part, { operation: "import" }, signal);
    inserted += answer.inserted;
    updated += answer.updated;
    rejected += answer.rejected;
    fault ||= answer.results.find((result) => result.error)?.error ?? "";
    at += part.length;
    onProgress(at);
  }
  return `${counted(inserted, "row")} added, ${whole(updated)} changed${rejected ? `, ${whole(rejected)} refused: ${fault}` : ""}`;
}

function nextPart(rows: DatasetRow[], from: number): DatasetRow[] {
  let size = 0;
  let to = from;
  while (to < rows.length && to - from < MAX_PART_ROWS && size < MAX_PART_BYTES) size += JSON.stringify(rows[to++]).length;
  return rows.slice(from, to);
}
