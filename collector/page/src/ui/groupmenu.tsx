// Chooses what rows are put together by: a usual field, or any expression in SQL. Kept in the address as `g`.
import { useState } from "preact/hooks";
import { setQuery } from "../lib/router";
import { Menu, MenuItem } from "./basics";
import { Icon } from "./icons";
import { SqlInput } from "./sqlinput";

interface Props {
  value: string;
  /** What the menu does, such as "Group by". */
  label: string;
  /** What there is without it. */
  none: string;
  /** Names with their expressions. */
  choices: [string, string][];
}

export function GroupMenu({ value, label, none, choices }: Props) {
  const [draft, setDraft] = useState(value);
  const name = choices.find(([, sql]) => sql === value)?.[0] ?? value;
  return (
    <Menu align="right" label={label} button={<><Icon name="rows" /><span class={value ? "ellipsis" : "wide-only"}>{value ? `By ${name}` : label}</span></>}>
      {(close) => {
        const choose = (sql: string) => (setQuery({ g: sql || null }), close());
        return (
          <>
            <MenuItem isOn={!value} onClick={() => choose("")}>{none}</MenuItem>
            {choices.map(([title, sql]) => <MenuItem key={sql} isOn={value === sql} onClick={() => choose(sql)}>{title}</MenuItem>)}
            <div class="menu-form">
              <SqlInput isOneLine label={`${label} SQL`} hint="any expression" value={draft} onChange={setDraft} onSubmit={() => choose(draft.trim())} />
            </div>
          </>
        );
      }}
    </Menu>
  );
}
