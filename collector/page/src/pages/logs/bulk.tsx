// What can be done with the selected rows at once.
import { useState } from "preact/hooks";
import { call } from "../../lib/api";
import { counted, whole } from "../../lib/format";
import { addressOf } from "../../lib/router";
import { addTag } from "../../lib/rows";
import { Button, Menu, toast, toastError } from "../../ui/basics";
import { ExportMenu, resultFiles } from "../../ui/exportmenu";
import { Icon } from "../../ui/icons";
import { PromoteDialog, theseRows } from "./promote";
import { exportSql, type LogRow } from "./queries";
import { me } from "./me";
import { BulkScore } from "./score";
import type { LogsState } from "./state";

interface Props {
  state: LogsState;
  rows: LogRow[];
  /** Selects nothing, and reads the rows again when they changed. */
  onDone: (isChanged: boolean) => void;
}

export function BulkBar({ state, rows, onDone }: Props) {
  const [isPromoting, setPromoting] = useState(false);
  const ids = rows.map((row) => row.span_id);
  const queue = async () => {
    try {
      const answer = await call<{ queued: number; known: number }>("POST", "/v1/review/items", { project: state.project, where: theseRows(ids), reviewer: me.value });
      toast(`${counted(answer.queued, "row")} queued for review${answer.known ? `, ${whole(answer.known)} there already` : ""}`);
      onDone(false);
    } catch (error) {
      toastError("The rows were not queued", error);
    }
  };
  return (
    <div class="bulk-bar" role="toolbar" aria-label="Selected rows">
      <strong>{rows.length} selected</strong>
      <Button icon="datasets" onClick={() => setPromoting(true)}>Add to dataset</Button>
      <BulkScore project={state.project} rows={rows} onDone={() => onDone(true)} />
      <Button icon="review" onClick={queue}>Review</Button>
      <TagMenu state={state} rows={rows} onDone={() => onDone(true)} />
      <ExportMenu label="Export the selected rows" files={resultFiles(exportSql(state, ids), `${state.project}-${state.shape}`)}>Export</ExportMenu>
      <a class="button plain" href={addressOf("sql", { sql: exportSql(state, ids) })}><Icon name="sql" /> SQL</a>
      <Button kind="quiet" icon="close" label="Select nothing" onClick={() => onDone(false)} />
      {isPromoting && <PromoteDialog project={state.project} where={theseRows(ids)} onClose={() => setPromoting(false)} onDone={() => onDone(false)} />}
    </div>
  );
}

function TagMenu({ state, rows, onDone }: { state: LogsState; rows: LogRow[]; onDone: () => void }) {
  const [tag, setTag] = useState("");
  const save = async (event: Event) => {
    event.preventDefault();
    try {
      await addTag(state.project, rows.map((row) => row.id), tag.trim());
      toast(`Tagged ${counted(rows.length, "row")} with ${tag.trim()}`);
      onDone();
    } catch (error) {
      toastError("The rows were not tagged", error);
    }
  };
  return (
    <Menu label="Add a tag" button={<><Icon name="tag" /> Tag</>}>
      {() => (
        <form class="menu-form row-between" onSubmit={save}>
          <input aria-label="Tag for the selected rows" placeholder="tag" value={tag} onInput={(event) => setTag(event.currentTarget.value)} />
          <Button type="submit" disabled={!tag.trim()}>Add</Button>
        </form>
      )}
    </Menu>
  );
}
