// The conditions of the list: chips of SQL, a field for the next one, words to search.
import { useEffect, useState } from "preact/hooks";
import { useKey } from "../../lib/keys";
import { setQuery } from "../../lib/router";
import { blame, errorReason, text } from "../../lib/sql";
import { Button, Menu, MenuItem } from "../../ui/basics";
import { Icon } from "../../ui/icons";
import { SqlInput } from "../../ui/sqlinput";
import { me } from "./me";
import type { LogsState } from "./state";

export const PRESETS: [string, string][] = [
  ["Errors", "error != ''"],
  ["Non-errors", "error = ''"],
  ["Scorer errors", "span_id IN (SELECT span_id FROM scores WHERE status = 'failed')"],
  ["Unreviewed", "is_root AND id NOT IN (SELECT row_id FROM review_queue WHERE status = 'done')"],
  ["Still running", "NOT mapContains(metrics, 'end')"],
  ["With a comment", "metadata['comment'] != ''"],
  ["Low scores", "arrayExists(score -> score < 0.5, mapValues(scores))"],
];

interface Props {
  state: Pick<LogsState, "filters" | "search">;
  error: unknown;
  hasSearch?: boolean;
}

export function FilterBar({ state, error, hasSearch = true }: Props) {
  const [draft, setDraft] = useState("");
  const [search, setSearch] = useState(state.search);
  const [sqlFocus, setSqlFocus] = useState(0);
  useEffect(() => setSearch(state.search), [state.search]);
  useKey("/", "Filter by SQL", () => setSqlFocus((n) => n + 1));
  const setFilters = (filters: string[]) => setQuery({ f: filters });
  const add = (condition: string) => {
    if (condition.trim() && !state.filters.includes(condition.trim())) setFilters([...state.filters, condition.trim()]);
  };
  const submit = () => {
    add(draft);
    setDraft("");
  };
  const edit = (at: number) => {
    setDraft(state.filters[at]!);
    setFilters(state.filters.filter((_, index) => index !== at));
    setSqlFocus((n) => n + 1);
  };
  const blamed = error === undefined ? null : blame(error, state.filters);
  return (
    <div class="filter-bar">
      {hasSearch && <label class="search-field">
        <Icon name="search" size={14} />
        <input type="search" placeholder="Find words or an id" aria-label="Find words in input and output, or a trace or span id" value={search} onInput={(event) => setSearch(event.currentTarget.value)} onKeyDown={(event) => event.key === "Enter" && setQuery({ q: search.trim() })} onBlur={() => search.trim() !== state.search && setQuery({ q: search.trim() })} />
      </label>}
      <div class="filter-field">
        {state.filters.map((filter, at) => (
          <span class={`chip${blamed?.condition === at ? " wrong" : ""}`} key={filter}>
            <button type="button" class="chip-text" title={`Edit: ${filter}`} onClick={() => edit(at)}>{filter}</button>
            <button type="button" class="chip-close" aria-label={`Remove the filter ${filter}`} onClick={() => setFilters(state.filters.filter((_, index) => index !== at))}>
              <Icon name="close" size={12} />
            </button>
          </span>
        ))}
        <SqlInput isOneLine isPatient label="Filter by SQL" hint={state.filters.length ? "and …" : "Filter by SQL: cost > 0.01"} value={draft} onChange={setDraft} onSubmit={submit} focus={sqlFocus} />
      </div>
      <Menu align="right" label="Presets" button={<><Icon name="filter" /><span class="wide-only">Presets</span></>}>
        {(close) => PRESETS.map(([name, condition]) => (
          <MenuItem key={name} isOn={state.filters.includes(condition)} onClick={() => (state.filters.includes(condition) ? setFilters(state.filters.filter((one) => one !== condition)) : add(condition), close())}>
            {name}
          </MenuItem>
        )).concat(<AssignedToMe key="me" onAdd={(condition) => (add(condition), close())} />)}
      </Menu>
      {blamed && <FilterError error={error} filter={state.filters[blamed.condition]!} position={blamed.position} length={blamed.length} onEdit={() => edit(blamed.condition)} />}
    </div>
  );
}

/** Rows that wait for this person's review; asks for the name once. */
function AssignedToMe({ onAdd }: { onAdd: (condition: string) => void }) {
  const [name, setName] = useState(me.value);
  const submit = (event: Event) => {
    event.preventDefault();
    me.value = name.trim();
    if (me.value) onAdd(`id IN (SELECT row_id FROM review_queue WHERE assignee = ${text(me.value)} AND status IN ('pending', 'in_progress'))`);
  };
  return (
    <form class="menu-form row-between" onSubmit={submit}>
      <input aria-label="Your name as a reviewer" placeholder="your name" value={name} onInput={(event) => setName(event.currentTarget.value)} />
      <Button type="submit" disabled={!name.trim()}>Assigned to me</Button>
    </form>
  );
}

/** The reason, with the place in the condition. */
function FilterError({ error, filter, position, length, onEdit }: { error: unknown; filter: string; position: number; length: number; onEdit: () => void }) {
  return (
    <div class="filter-error" role="alert">
      <Icon name="alert" size={14} />
      <div>
        {length > 0 && <code>{filter.slice(0, position)}<mark>{filter.slice(position, position + length)}</mark>{filter.slice(position + length)}</code>}
        <p>{errorReason(error)}</p>
      </div>
      <button type="button" class="link" onClick={onEdit}>Edit</button>
    </div>
  );
}
