// The list's menu of columns and heights; and what rows are usually grouped by.
import { useState } from "preact/hooks";
import { setQuery } from "../../lib/router";
import { schema } from "../../lib/schema";
import { Button, Menu, MenuItem, Segmented } from "../../ui/basics";
import { Icon } from "../../ui/icons";
import { SqlInput } from "../../ui/sqlinput";
import { availableColumns, columnOf, CUSTOM_PREFIX, customColumn, type LogColumn, usualColumns } from "./columns";
import { density } from "./list";
import type { LogsState } from "./state";

export function ColumnsMenu({ state, columns }: { state: LogsState; columns: LogColumn[] }) {
  const [draft, setDraft] = useState("");
  const ids = columns.map((column) => column.id);
  const set = (next: string[]) => setQuery({ c: next.join() === usualColumns(state.shape).join() ? null : next }, { replace: true });
  const togglePin = (id: string) => setQuery({ p: state.pinned.includes(id) ? state.pinned.filter((one) => one !== id) : [...state.pinned, id] }, { replace: true });
  const addCustom = () => {
    if (draft.trim()) set([...ids, customColumn(draft.trim())]);
    setDraft("");
  };
  const others = availableColumns(state.shape).filter((column) => !ids.includes(column.id));
  const keys = schema.value.keys.map(customColumn).filter((id) => !ids.includes(id));
  return (
    <Menu align="right" label="Columns" button={<><Icon name="columns" /><span class="wide-only">Columns</span></>}>
      {() => (
        <div class="columns-menu">
          <div class="row-between">
            <Segmented label="Height of rows" value={density.value} onChange={(value) => (density.value = value)} options={[["compact", "Compact"], ["normal", "Normal"], ["tall", "Tall"]]} />
            <button type="button" class="link" onClick={() => setQuery({ c: null, p: null }, { replace: true })}>Reset</button>
          </div>
          <h3>Shown</h3>
          {columns.map((column, at) => (
            <div class="column-line" key={column.id}>
              <span class="ellipsis grow" title={column.sql}>{column.title}</span>
              <Button kind="quiet" icon="pin" label={`Pin ${column.title}`} isOn={state.pinned.includes(column.id)} onClick={() => togglePin(column.id)} />
              <Button kind="quiet" icon="up" label={`Move ${column.title} to the left`} disabled={at === 0} onClick={() => set(moved(ids, at, -1))} />
              <Button kind="quiet" icon="down" label={`Move ${column.title} to the right`} disabled={at === ids.length - 1} onClick={() => set(moved(ids, at, 1))} />
              <Button kind="quiet" icon="close" label={`Hide ${column.title}`} onClick={() => set(ids.filter((id) => id !== column.id))} />
            </div>
          ))}
          <h3>Any expression</h3>
          <div class="row-between">
            <SqlInput isOneLine label="Column by SQL" hint="metadata['user_id']" value={draft} onChange={setDraft} onSubmit={addCustom} />
            <Button onClick={addCustom} disabled={!draft.trim()}>Add</Button>
          </div>
          <h3>More</h3>
          {[...others, ...keys.slice(0, 40).map((id) => columnOf(id)!)].map((column) => (
            <MenuItem key={column.id} icon="plus" hint={column.id.startsWith(CUSTOM_PREFIX) ? column.sql.split("[")[0]! : ""} onClick={() => set([...ids, column.id])}>
              {column.title}
            </MenuItem>
          ))}
        </div>
      )}
    </Menu>
  );
}

function moved(ids: string[], at: number, step: number): string[] {
  const next = [...ids];
  [next[at], next[at + step]] = [next[at + step]!, next[at]!];
  return next;
}

export const GROUPS: [string, string][] = [["Name", "name"], ["Model", "model"], ["Type", "type"], ["User", "metadata['user_id']"], ["Session", "metadata['session_id']"], ["Error", "substring(error, 1, 80)"], ["Hour", "toStartOfHour(created)"]];
