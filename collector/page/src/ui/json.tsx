// Values from spans. They are shown as text nodes only: nothing in them is ever markup.
import { useState } from "preact/hooks";

const MANY = 100;
const LONG = 600;

export function JsonTree({ value, depth = 2 }: { value: unknown; depth?: number }) {
  return (
    <div class="json">{isPlainObject(value) ? Object.entries(value).slice(0, MANY).map(([key, item]) => <Node key={key} name={key} value={item} depth={depth - 1} />) : <Node value={value} depth={depth} />}</div>
  );
}

/** A small object needs no line of its own. */
function isPlainObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length > 0 && Object.keys(value).length <= MANY;
}

function Node({ name, value, depth }: { name?: string | number; value: unknown; depth: number }) {
  const isTree = typeof value === "object" && value !== null;
  return isTree ? <Branch {...(name === undefined ? {} : { name })} value={value} depth={depth} /> : (
    <div class="json-line">
      <Name name={name} />
      <Leaf value={value} />
    </div>
  );
}

function Branch({ name, value, depth }: { name?: string | number; value: object; depth: number }) {
  const entries = Object.entries(value);
  const isList = Array.isArray(value);
  const [isOpen, setOpen] = useState(depth > 0 && entries.length > 0);
  const [shown, setShown] = useState(MANY);
  const summary = isList ? `[${entries.length}]` : entries.length ? `{${entries.slice(0, 4).map(([key]) => key).join(", ")}${entries.length > 4 ? ", …" : ""}}` : "{}";
  return (
    <div class="json-branch">
      <button type="button" class="json-toggle" aria-expanded={isOpen} disabled={!entries.length} onClick={() => setOpen(!isOpen)}>
        <span class="json-arrow">{entries.length ? (isOpen ? "▾" : "▸") : " "}</span>
        <Name name={name} />
        <span class="json-summary">{isOpen && !isList ? "" : summary}</span>
      </button>
      {isOpen && (
        <div class="json-children">
          {entries.slice(0, shown).map(([key, item]) => (
            <Node key={key} name={isList ? Number(key) : key} value={item} depth={depth - 1} />
          ))}
          {entries.length > shown && (
            <button type="button" class="link" onClick={() => setShown(shown + 10 * MANY)}>
              {entries.length - shown} more
            </button>
          )}
        </div>
      )}
    </div>
  );
}

function Name({ name }: { name: string | number | undefined }) {
  return name === undefined ? null : <span class={typeof name === "number" ? "json-index" : "json-name"}>{name}</span>;
}

function Leaf({ value }: { value: unknown }) {
  if (typeof value === "string") return <LongText text={value} class="json-string" />;
  return <span class={`json-${value === null ? "null" : typeof value}`}>{String(value)}</span>;
}

export function LongText({ text, class: name = "" }: { text: string; class?: string }) {
  const [isWhole, setWhole] = useState(text.length <= LONG * 2);
  return (
    <span class={name}>
      {isWhole ? text : text.slice(0, LONG)}
      {!isWhole && (
        <button type="button" class="link" onClick={() => setWhole(true)}>
          … {(text.length - LONG).toLocaleString("en")} more characters
        </button>
      )}
    </span>
  );
}

/** The value of a JSON text; a text that is none is itself. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** A value as a person would write it into an editor. */
export function pretty(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value, null, 2) ?? "");
}
