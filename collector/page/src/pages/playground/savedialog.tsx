// Keeps what is shown: an experiment for each variant, compared with the first.
import { useState } from "preact/hooks";
import { day, clock } from "../../lib/format";
import { addressOf, go } from "../../lib/router";
import { Button, Dialog, ErrorBox, Field, toast } from "../../ui/basics";
import { config, letter } from "./config";
import { cells, isCurrent, keyOf, ranOver } from "./runs";
import { type Column, saveAll } from "./save";

export function SaveDialog({ project, onClose }: { project: string; onClose: () => void }) {
  const [name, setName] = useState(`playground ${day(Date.now())} ${clock(Date.now(), false).slice(0, 5)}`);
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  const columns = savable();
  const save = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      const names = await saveAll(project, name.trim(), columns, ranOver.value);
      toast(names.length > 1 ? `${names.length} experiments are saved` : "The experiment is saved");
      go(addressOf(`experiments/${names.at(-1)}`, { with: names.slice(0, -1) }));
    } catch (reason) {
      setError(reason);
      setBusy(false);
    }
  };
  return (
    <Dialog title="Save as experiment" onClose={onClose}>
      <form class="promote" onSubmit={save}>
        {error !== null && <ErrorBox what="Not everything was saved" error={error} />}
        {columns.length === 0 ? (
          <p>The prompts have changed since they ran. Run them again; what is saved is what they say.</p>
        ) : (
          <>
            <Field label="Name" hint={columns.length > 1 ? `Each variant becomes an experiment: ${columns.map((one) => `${name.trim()} ${one.letter}`).join(", ")}.` : "Prompt, model and parameters are kept with it."}>
              {(id) => <input id={id} autofocus required value={name} onInput={(event) => setName(event.currentTarget.value)} />}
            </Field>
            <p class="hint">{columns.map((one) => `${one.letter}: ${one.cells.length} ${one.cells.length === 1 ? "case" : "cases"}`).join(", ")}. Outputs from before a change, and those that were stopped, are left out.</p>
          </>
        )}
        <div class="row-start">
          {columns.length > 0 && <Button type="submit" kind="primary" disabled={!name.trim() || isBusy}>{isBusy ? "Saving…" : "Save"}</Button>}
          <Button kind="quiet" onClick={onClose}>Cancel</Button>
        </div>
      </form>
    </Dialog>
  );
}

/** Of each variant, the cells that have ended and that its prompt still stands for. */
function savable(): Column[] {
  const { variants, scorers } = config.value;
  const all = cells.value;
  return variants
    .map((variant, place) => {
      const own = [...all].filter(([key]) => key.startsWith(keyOf(variant.id, 0).slice(0, -1))).map(([, cell]) => cell.value);
      return { letter: letter(place), cells: own.filter((cell) => cell.end && isCurrent(cell, variant, scorers)) };
    })
    .filter((column) => column.cells.length > 0);
}
