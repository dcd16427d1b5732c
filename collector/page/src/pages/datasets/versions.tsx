// Every change of a dataset, what it changed, and the way back.
import { useState } from "preact/hooks";
import { ago, counted, whole } from "../../lib/format";
import { useLoaded } from "../../lib/load";
import { place, setQuery } from "../../lib/router";
import { Button, Dialog, ErrorBox, Field, Spinner, toast, toastError } from "../../ui/basics";
import { Icon } from "../../ui/icons";
import { type Dataset, diffVersions, forgetName, listVersions, nameVersion, restore, type Version } from "./api";
import { RowDiffs } from "./rowdiffs";

interface Props {
  dataset: Dataset;
  onChanged: () => void;
}

export function Versions({ dataset, onChanged }: Props) {
  const found = useLoaded(`${dataset.id} ${dataset.version}`, (signal) => listVersions(dataset.id, signal));
  const versions = found.data ?? [];
  const { query } = place.value;
  const to = query.get("to") ?? versions[0]?.version ?? "";
  const from = query.get("from") ?? versions[versions.findIndex((one) => one.version === to) + 1]?.version ?? "";
  if (found.error !== undefined) return <ErrorBox what="The versions could not be read" error={found.error} onRetry={found.reload} />;
  if (!found.data) return <div class="page-loading"><Spinner /></div>;
  if (!versions.length) return <p class="hint dataset-words">Nothing was written yet. Every change will be a version here.</p>;
  return (
    <div class="versions">
      <ol class="version-list" aria-label="Versions, the newest first">
        {versions.map((one, at) => <VersionLine key={one.version} version={one} isShown={one.version === to} onShow={() => setQuery({ to: one.version, from: versions[at + 1]?.version ?? null })} />)}
      </ol>
      <section class="version-diff" aria-label="What changed">
        <VersionTools dataset={dataset} versions={versions} from={from} to={to} onChanged={() => (found.reload(), onChanged())} />
        <Changes dataset={dataset} from={from} to={to} />
      </section>
    </div>
  );
}

function timeOf(version: string): number {
  return Number(BigInt(version) / 1_000_000n);
}

function VersionLine({ version, isShown, onShow }: { version: Version; isShown: boolean; onShow: () => void }) {
  const counts = [
    [version.inserted, "+", "good"],
    [version.updated, "~", "warn"],
    [version.deleted, "−", "bad"],
  ] as const;
  return (
    <li>
      <button type="button" class={`version-line${isShown ? " at" : ""}`} aria-current={isShown ? "true" : undefined} onClick={onShow}>
        <strong>{version.operation}</strong>
        {counts.map(([count, sign, kind]) => count > 0 && <span key={sign} class={`count ${kind}`}>{sign}{whole(count)}</span>)}
        <span class="grow" />
        {version.snapshots.map((name) => <span class="tag" key={name}>{name}</span>)}
        <time class="hint" title={new Date(timeOf(version.version)).toISOString()}>{ago(timeOf(version.version))}</time>
      </button>
    </li>
  );
}

function VersionTools({ dataset, versions, from, to, onChanged }: Props & { versions: Version[]; from: string; to: string }) {
  const [dialog, setDialog] = useState<"name" | "restore" | null>(null);
  const shown = versions.find((one) => one.version === to);
  const names = (one: Version) => `${one.snapshots[0] ?? one.operation} · ${ago(timeOf(one.version))}`;
  const forget = (name: string) => forgetName(dataset.id, name).then(onChanged, (error) => toastError("The name stays", error));
  return (
    <div class="version-tools">
      <label>from <select aria-label="From version" value={from} onChange={(event) => setQuery({ from: event.currentTarget.value }, { replace: true })}>
        {!from && <option value="">nothing</option>}
        {versions.map((one) => <option key={one.version} value={one.version}>{names(one)}</option>)}
      </select></label>
      <label>to <select aria-label="To version" value={to} onChange={(event) => setQuery({ to: event.currentTarget.value }, { replace: true })}>
        {versions.map((one) => <option key={one.version} value={one.version}>{names(one)}</option>)}
      </select></label>
      {shown?.snapshots.map((name) => (
        <span class="chip" key={name}><span class="chip-text">{name}</span><button type="button" class="chip-close" aria-label={`Forget the name ${name}`} onClick={() => forget(name)}><Icon name="close" size={12} /></button></span>
      ))}
      <span class="grow" />
      <Button icon="rows" onClick={() => setQuery({ tab: null, version: to === dataset.version ? null : to })}>Rows</Button>
      <Button icon="tag" onClick={() => setDialog("name")}>Name it</Button>
      <Button icon="refresh" disabled={to === dataset.version} onClick={() => setDialog("restore")}>Restore</Button>
      {dialog === "name" && <NameDialog dataset={dataset} version={to} onClose={() => setDialog(null)} onChanged={onChanged} />}
      {dialog === "restore" && <RestoreDialog dataset={dataset} version={to} onClose={() => setDialog(null)} onChanged={onChanged} />}
    </div>
  );
}

function Changes({ dataset, from, to }: { dataset: Dataset; from: string; to: string }) {
  // Before the first version there was nothing.
  const found = useLoaded(`${dataset.id} ${from} ${to}`, (signal) => diffVersions(dataset.id, from || "0", to, signal));
  if (found.error !== undefined) return <ErrorBox what="The versions could not be compared" error={found.error} />;
  if (!found.data) return <div class="page-loading"><Spinner /></div>;
  return <RowDiffs diff={found.data} />;
}

interface DialogProps extends Props {
  version: string;
  onClose: () => void;
}

function NameDialog({ dataset, version, onClose, onChanged }: DialogProps) {
  const [name, setName] = useState("");
  const save = async (event: Event) => {
    event.preventDefault();
    try {
      await nameVersion(dataset.id, version, name.trim());
      onChanged();
      onClose();
    } catch (error) {
      toastError("The version was not named", error);
    }
  };
  return (
    <Dialog title="Name this version" onClose={onClose}>
      <form class="promote" onSubmit={save}>
        <Field label="Name" hint="Evals may ask for it instead of the number. A name that is taken moves here.">{(id) => <input id={id} autofocus required placeholder="launch" value={name} onInput={(event) => setName(event.currentTarget.value)} />}</Field>
        <div class="row-start"><Button type="submit" kind="primary" disabled={!name.trim()}>Name it</Button></div>
      </form>
    </Dialog>
  );
}

function RestoreDialog({ dataset, version, onClose, onChanged }: DialogProps) {
  const trial = useLoaded(version, () => restore(dataset.id, version, true));
  const apply = async () => {
    try {
      await restore(dataset.id, version, false);
      toast("Restored as a new version");
      onChanged();
      onClose();
      setQuery({ from: null, to: null }, { replace: true });
    } catch (error) {
      toastError("Nothing was restored", error);
    }
  };
  return (
    <Dialog title="Restore this version?" onClose={onClose}>
      <div class="promote">
        {trial.error !== undefined && <ErrorBox error={trial.error} />}
        {trial.data && <p>{counted(trial.data.rows_to_restore, "row")} become what they were, {whole(trial.data.rows_to_delete)} are taken away. That is a new version: nothing is lost.</p>}
        <div class="row-start">
          <Button kind="primary" disabled={!trial.data} onClick={apply}>Restore</Button>
          <Button kind="quiet" onClick={onClose}>Cancel</Button>
        </div>
      </div>
    </Dialog>
  );
}
