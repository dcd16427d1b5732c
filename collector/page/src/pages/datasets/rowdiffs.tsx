// The difference of two versions, row by row, field by field.
import { whole } from "../../lib/format";
import { setQuery } from "../../lib/router";
import { pretty } from "../../ui/json";
import type { DatasetRow, Diff, RowDiff } from "./api";
import { TextDiff } from "../../ui/textdiff";

const SHOWN_FIELDS = ["input", "expected", "metadata", "tags"] as const;

export function RowDiffs({ diff }: { diff: Diff }) {
  const all = diff.added + diff.removed + diff.changed;
  return (
    <div class="row-diffs">
      <p class="hint">{whole(diff.added)} added, {whole(diff.changed)} changed, {whole(diff.removed)} removed{all > diff.rows.length && `; the first ${whole(diff.rows.length)} are shown`}</p>
      {diff.rows.map((row) => <OneRow key={row.id} row={row} />)}
    </div>
  );
}

function OneRow({ row }: { row: RowDiff }) {
  const fields = row.change === "changed" ? SHOWN_FIELDS.filter((name) => row.fields.includes(name)) : SHOWN_FIELDS.filter((name) => shown(row.after ?? row.before, name) !== "");
  return (
    <article class={`row-diff ${row.change}`} aria-label={`Row ${row.id}, ${row.change}`}>
      <header>
        <span class={`count ${KINDS[row.change]}`}>{row.change}</span>
        {row.after ? <button type="button" class="link" onClick={() => setQuery({ tab: null, row: row.id })}>{row.id}</button> : <span>{row.id}</span>}
      </header>
      {fields.map((name) => (
        <div key={name} class="diff-field">
          <span class="hint">{name}</span>
          <TextDiff before={shown(row.before, name)} after={shown(row.after, name)} />
        </div>
      ))}
    </article>
  );
}

const KINDS = { added: "good", changed: "warn", removed: "bad" };

function shown(row: DatasetRow | undefined, name: (typeof SHOWN_FIELDS)[number]): string {
  const value = row?.[name];
  if (Array.isArray(value)) return value.join(", ");
  const isEmpty = value === undefined || value === null || (typeof value === "object" && !Object.keys(value).length);
  return isEmpty ? "" : pretty(value);
}
