// What there is to ask about.
import { useEffect } from "preact/hooks";
import { loadSchema, schema } from "../../lib/schema";

export function SchemaBrowser({ onPick }: { onPick: (name: string) => void }) {
  useEffect(() => void loadSchema(), []);
  const { relations } = schema.value;
  return (
    <aside class="schema" aria-label="Tables and columns">
      {Object.entries(relations).sort(([a], [b]) => rank(a) - rank(b)).map(([table, columns]) => (
        <details key={table} open={table === "logs"}>
          <summary>{table}</summary>
          {columns.map(({ name, type }) => (
            <button type="button" class="schema-column" key={name} title={type} onClick={() => onPick(name)}>
              <span>{name}</span>
              <span class="hint">{short(type)}</span>
            </button>
          ))}
        </details>
      ))}
    </aside>
  );
}

const FIRST = ["logs", "traces", "scores", "otel_logs", "datasets", "dataset_rows", "experiments", "eval_rows"];

function rank(table: string): number {
  const at = FIRST.indexOf(table);
  return at < 0 ? FIRST.length : at;
}

function short(type: string): string {
  return type
    .replace(/LowCardinality\((\w+)\)/g, "$1")
    .replace(/^DateTime64.*/, "time")
    .replace(/^Map\((\w+), (\w+)\)/, "map")
    .replace(/^Array\(Tuple.*/, "list")
    .replace(/^Array.*/, "list")
    .replace(/^(Float|U?Int)\d+$/, "number")
    .replace("String", "text");
}
