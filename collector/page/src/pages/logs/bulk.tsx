// What can be done with the selected rows at once.
import { useState } from "preact/hooks";
import { addressOf } from "../../lib/router";
import { addTag } from "../../lib/rows";
import { Button, Menu, toast, toastError } from "../../ui/basics";
import { Icon } from "../../ui/icons";
import { ExportMenu } from "./menus";
import { exportSql, type LogRow } from "./queries";
import type { LogsState } from "./state";

export function BulkBar({ state, rows, onDone }: { state: LogsState; rows: LogRow[]; onDone: () => void }) {
  const ids = rows.map((row) => row.span_id);
  return (
    <div class="bulk-bar" role="toolbar" aria-label="Selected rows">
      <strong>{rows.length} selected</strong>
      <TagMenu state={state} rows={rows} onDone={onDone} />
      <ExportMenu state={state} ids={ids} label="Export the selected rows" />
      <a class="button plain" href={addressOf("sql", { sql: exportSql(state, ids) })}><Icon name="sql" /> Open as SQL</a>
      <Button kind="quiet" icon="close" label="Select nothing" onClick={onDone} />
    </div>
  );
}

function TagMenu({ state, rows, onDone }: { state: LogsState; rows: LogRow[]; onDone: () => void }) {
  const [tag, setTag] = useState("");
  const save = async (event: Event) => {
    event.preventDefault();
    try {
      await addTag(state.project, rows.map((row) => row.id), tag.trim());
      toast(`Tagged ${rows.length} rows with ${tag.trim()}`);
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
