// One dataset: its rows, or its versions.
import { useEffect, useState } from "preact/hooks";
import { counted } from "../../lib/format";
import { useLoaded } from "../../lib/load";
import { addressOf, go, place, setQuery } from "../../lib/router";
import { Button, Dialog, Empty, ErrorBox, Menu, MenuItem, Segmented, Spinner } from "../../ui/basics";
import { DeleteDialog } from "../../ui/deletedialog";
import { ExportMenu } from "../../ui/exportmenu";
import { Icon } from "../../ui/icons";
import { useSubmit } from "../../ui/submit";
import { type Dataset, deleteDataset, findDataset, updateDataset } from "./api";
import { DropZone } from "./drop";
import { datasetFiles } from "./export";
import { ImportDialog } from "./import";
import { FileButton } from "./list";
import { FromLogs } from "./fromlogs";
import { Rows } from "./rows";
import { Versions } from "./versions";

export function OneDataset({ named }: { named: string }) {
  const { project } = place.value;
  const found = useLoaded(`${project} ${named}`, (signal) => findDataset(project, named, signal));
  useEffect(() => {
    if (found.data) document.title = `${found.data.name} · ${project} · spanloop`;
  }, [found.data]);
  if (found.error !== undefined) return <ErrorBox what="The dataset could not be read" error={found.error} onRetry={found.reload} />;
  if (found.data === undefined) return <div class="page-loading"><Spinner /></div>;
  if (found.data === null) return <Missing named={named} />;
  return <Opened dataset={found.data} reload={found.reload} />;
}

function Missing({ named }: { named: string }) {
  return (
    <Empty icon="search" title={`There is no dataset ${named} in this project`}>
      <p>It may have been renamed or deleted. <a href={addressOf("datasets")}>All datasets</a></p>
    </Empty>
  );
}

function Opened({ dataset, reload }: { dataset: Dataset; reload: () => void }) {
  const { project, query } = place.value;
  const [file, setFile] = useState<File | null>(null);
  const [isPromoting, setPromoting] = useState(false);
  const tab = query.get("tab") === "versions" ? "versions" : "rows";
  const version = query.get("version") ?? "";
  return (
    <DropZone class="datasets" what={dataset.name} onFile={setFile}>
      <header class="page-head">
        <h1 class="ellipsis"><a href={addressOf("datasets")}>Datasets</a> / {dataset.name}</h1>
        <Segmented label="Show" value={tab} onChange={(next) => setQuery({ tab: next === "rows" ? null : next, row: null })} options={[["rows", "Rows"], ["versions", "Versions"]]} />
        <span class="hint total">{counted(dataset.row_count, "row")}</span>
        <span class="grow" />
        <Button icon="logs" onClick={() => setPromoting(true)}>From logs</Button>
        <FileButton onFile={setFile} />
        <ExportMenu label="Export the rows" files={datasetFiles(dataset, version)} />
        <MoreMenu dataset={dataset} reload={reload} />
      </header>
      {dataset.description && <p class="hint dataset-words">{dataset.description}</p>}
      {tab === "versions" ? <Versions dataset={dataset} onChanged={reload} /> : <Rows key={`${dataset.version} ${version}`} dataset={dataset} version={version} onChanged={reload} />}
      {file && <ImportDialog project={project} file={file} dataset={dataset} onClose={() => setFile(null)} onDone={reload} />}
      {isPromoting && <FromLogs project={project} dataset={dataset.name} onClose={() => setPromoting(false)} onDone={reload} />}
    </DropZone>
  );
}

function MoreMenu({ dataset, reload }: { dataset: Dataset; reload: () => void }) {
  const [dialog, setDialog] = useState<"delete" | "describe" | null>(null);
  return (
    <>
      <Menu align="right" label="More" button={<Icon name="more" />}>
        {(close) => (
          <>
            <MenuItem icon="edit" onClick={() => (setDialog("describe"), close())}>Name and description</MenuItem>
            <MenuItem icon="trash" onClick={() => (setDialog("delete"), close())}>Delete</MenuItem>
          </>
        )}
      </Menu>
      {dialog === "delete" && <DeleteDialog name={dataset.name} words={`Its ${counted(dataset.row_count, "row")} and every version of them are deleted for good. Experiments that ran over it stay.`} onDelete={() => deleteDataset(dataset.id)} onGone={() => go(addressOf("datasets"))} onClose={() => setDialog(null)} />}
      {dialog === "describe" && <DescribeDialog dataset={dataset} onClose={() => setDialog(null)} reload={reload} />}
    </>
  );
}

function DescribeDialog({ dataset, onClose, reload }: { dataset: Dataset; onClose: () => void; reload: () => void }) {
  const [name, setName] = useState(dataset.name);
  const [description, setDescription] = useState(dataset.description);
  const { isBusy, submit } = useSubmit("Not saved", async () => {
    await updateDataset(dataset.id, { name: name.trim(), description });
    onClose();
    if (name.trim() === dataset.name) reload();
    else go(addressOf(`datasets/${name.trim()}`), { replace: true });
  });
  return (
    <Dialog title="Name and description" onClose={onClose}>
      <form class="promote" onSubmit={submit}>
        <label class="field">Name <input required value={name} onInput={(event) => setName(event.currentTarget.value)} /></label>
        <label class="field">What it is for <input value={description} onInput={(event) => setDescription(event.currentTarget.value)} /></label>
        <div class="row-start"><Button type="submit" kind="primary" disabled={isBusy}>Save</Button></div>
      </form>
    </Dialog>
  );
}
