// The conditions of the list: chips of SQL, a field for the next one, words to search.
import { useEffect, useState } from "preact/hooks";
import { useKey } from "../../lib/keys";
import { setQuery } from "../../lib/router";
import { errorPosition, errorReason } from "../../lib/sql";
import { Menu, MenuItem } from "../../ui/basics";
import { Icon } from "../../ui/icons";
import { SqlInput } from "../../ui/sqlinput";
import type { LogsState } from "./state";

export const PRESETS: [string, string][] = [
  ["Errors", "error != ''"],
  ["Non-errors", "error = ''"],
  ["Scorer errors", "type = 'score' AND error != ''"],
  ["Unreviewed", "metadata['feedback_source'] = ''"],
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
  const last = state.filters.at(-1) ?? "";
  return (
    <div class="filter-bar">
      {hasSearch && <label class="search-field">
        <Icon name="search" size={14} />
        <input type="search" placeholder="Find words or an id" aria-label="Find words in input and output, or a trace or span id" value={search} onInput={(event) => setSearch(event.currentTarget.value)} onKeyDown={(event) => event.key === "Enter" && setQuery({ q: search.trim() })} onBlur={() => search.trim() !== state.search && setQuery({ q: search.trim() })} />
      </label>}
      <div class="filter-field">
        {state.filters.map((filter, at) => (
          <span class={`chip${error && filter === last ? " wrong" : ""}`} key={filter}>
            <button type="button" class="chip-text" title={`Edit: ${filter}`} onClick={() => edit(at)}>{filter}</button>
            <button type="button" class="chip-close" aria-label={`Remove the filter ${filter}`} onClick={() => setFilters(state.filters.filter((_, index) => index !== at))}>
              <Icon name="close" size={12} />
            </button>
          </span>
        ))}
        <SqlInput isOneLine label="Filter by SQL" hint={state.filters.length ? "and …" : "Filter by SQL: cost > 0.01 AND metadata['user_id'] = 'ada'"} value={draft} onChange={setDraft} onSubmit={submit} focus={sqlFocus} />
      </div>
      <Menu align="right" label="Presets" button={<><Icon name="filter" /><span class="wide-only">Presets</span></>}>
        {(close) => PRESETS.map(([name, condition]) => (
          <MenuItem key={name} isOn={state.filters.includes(condition)} onClick={() => (state.filters.includes(condition) ? setFilters(state.filters.filter((one) => one !== condition)) : add(condition), close())}>
            {name}
          </MenuItem>
        ))}
      </Menu>
      {error !== undefined && last !== "" && <FilterError error={error} filter={last} onEdit={() => edit(state.filters.length - 1)} />}
    </div>
  );
}

/** The reason, with the place in the condition. */
function FilterError({ error, filter, onEdit }: { error: unknown; filter: string; onEdit: () => void }) {
  const reason = errorReason(error);
  const near = /failed at position \d+[^:]*: (.{1,40})/.exec(reason)?.[1]?.trim().split(/\s/)[0];
  const at = near && filter.includes(near) ? filter.indexOf(near) : errorPosition(error, filter);
  const isInside = at !== null && at < filter.length;
  return (
    <div class="filter-error" role="alert">
      <Icon name="alert" size={14} />
      <div>
        {isInside && <code>{filter.slice(0, at)}<mark>{/^\w+/.exec(filter.slice(at))?.[0] ?? filter[at]}</mark>{filter.slice(at + (/^\w+/.exec(filter.slice(at))?.[0].length ?? 1))}</code>}
        <p>{reason}</p>
      </div>
      <button type="button" class="link" onClick={onEdit}>Edit</button>
    </div>
  );
}
