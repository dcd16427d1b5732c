// The project's datasets, and the ways to a new one.
import { useState } from "preact/hooks";
import { ago, counted, whole } from "../../lib/format";
import { useKey } from "../../lib/keys";
import { useLoaded } from "../../lib/load";
import { addressOf, go, place } from "../../lib/router";
import { Button, Dialog, Empty, ErrorBox, Field, Spinner, toastError } from "../../ui/basics";
import { Grid, type GridColumn } from "../../ui/grid";
import { createDataset, type Dataset, listDatasets } from "./api";
import { DropZone } from "./drop";
import { ImportDialog } from "./import";

const COLUMNS: GridColumn<Dataset>[] = [
  { id: "name", title: "Name", width: 240, isPinned: true, cell: (one) => <a class="ellipsis" href={addressOf(`datasets/${one.name}`)}>{one.name}</a> },
  { id: "rows", title: "Rows", width: 90, align: "right", cell: (one) => <span class="number">{whole(one.row_count)}</span> },
  { id: "changed", title: "Changed", width: 120, cell: (one) => <time>{one.version ? ago(Number(BigInt(one.version) / 1_000_000n)) : "empty"}</time> },
  { id: "tags", title: "Tags", width: 140, cell: (one) => one.tags.map((tag) => <span class="tag" key={tag}>{tag}</span>) },
  { id: "description", title: "Description", width: 0, cell: (one) => <span class="preview">{one.description}</span> },
];

export function DatasetList() {
  const { project } = place.value;
  const [isMaking, setMaking] = useState(false);
  const [file, setFile] = useState<File | null>(null);
  const found = useLoaded(project, (signal) => listDatasets(project, signal));
  useKey("n", "New dataset", () => setMaking(true));
  return (
    <DropZone class="datasets" what="a new dataset" onFile={setFile}>
      <header class="page-head">
        <h1>Datasets</h1>
        <span class="hint total">{found.data && counted(found.data.length, "dataset")}</span>
        <span class="grow" />
        <FileButton onFile={setFile} />
        <Button kind="primary" icon="plus" onClick={() => setMaking(true)}>New dataset</Button>
      </header>
      {found.error !== undefined && <ErrorBox what="The datasets could not be read" error={found.error} onRetry={found.reload} />}
      {!found.data && found.isLoading && <div class="page-loading"><Spinner /></div>}
      {found.data && found.data.length > 0 && <div class="fill"><Grid label="Datasets" columns={COLUMNS} rows={found.data} rowHeight={36} keyOf={(one) => one.id} onOpen={(one) => go(addressOf(`datasets/${one.name}`))} /></div>}
      {found.data?.length === 0 && <NoDatasets />}
      {isMaking && <NewDataset project={project} onClose={() => setMaking(false)} />}
      {file && <ImportDialog project={project} file={file} onClose={() => setFile(null)} onDone={(name) => go(addressOf(`datasets/${name}`))} />}
    </DropZone>
  );
}

/** Chooses a file, for people who do not drag. */
export function FileButton({ onFile }: { onFile: (file: File) => void }) {
  const pick = (event: Event) => {
    const field = event.currentTarget as HTMLInputElement;
    if (field.files?.[0]) onFile(field.files[0]);
    field.value = "";
  };
  return (
    <label class="button plain file-button">
      Import a file
      <input type="file" aria-label="Import a file" accept=".csv,.json,.jsonl,.ndjson" onChange={pick} />
    </label>
  );
}

function NewDataset({ project, onClose }: { project: string; onClose: () => void }) {
  const [name, setName] = useState("");
  const [description, setDescription] = useState("");
  const make = async (event: Event) => {
    event.preventDefault();
    try {
      const made = await createDataset(project, name.trim(), description.trim());
      go(addressOf(`datasets/${made.name}`));
    } catch (error) {
      toastError("The dataset was not made", error);
    }
  };
  return (
    <Dialog title="New dataset" onClose={onClose}>
      <form class="promote" onSubmit={make}>
        <Field label="Name">{(id) => <input id={id} autofocus required placeholder="golden answers" value={name} onInput={(event) => setName(event.currentTarget.value)} />}</Field>
        <Field label="What it is for">{(id) => <input id={id} value={description} onInput={(event) => setDescription(event.currentTarget.value)} />}</Field>
        <div class="row-start">
          <Button type="submit" kind="primary" disabled={!name.trim()}>Make it</Button>
          <Button kind="quiet" onClick={onClose}>Cancel</Button>
        </div>
      </form>
    </Dialog>
  );
}

function NoDatasets() {
  return (
    <Empty icon="datasets" title="No dataset yet">
      <p>A dataset holds the cases that evals run over. The best ones come from production.</p>
      <p>Select rows in the <a href={addressOf("logs")}>logs</a> and add them, drop a CSV or JSON file here, or promote with SQL:</p>
      <pre class="code">{`spanloop promote --to "golden answers" \\
  --where "name = 'answer question' AND scores['helpfulness'] > 0.9"`}</pre>
    </Empty>
  );
}
