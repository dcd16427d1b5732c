// What there is to ask about.
import { useEffect } from "preact/hooks";
import { loadSchema, schema } from "../../lib/schema";

export function SchemaBrowser({ onPick }: { onPick: (name: string) => void }) {
  useEffect(() => void loadSchema(), []);
  const { relations } = schema.value;
  return (
    <aside class="schema" aria-label="Tables and columns">
      {Object.entries(relations).map(([table, columns]) => (
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
