// Keyboard shortcuts: one listener, the newest binding of a key wins.
import { useLayoutEffect, useRef } from "preact/hooks";

interface Binding {
  keys: string;
  label: string;
  run: (event: KeyboardEvent) => void;
}

const bindings: Binding[] = [];
let prefix = "";
let prefixAt = 0;

// A checkbox that has the focus takes no letters.
const IN_TEXT = "input:not([type=checkbox], [type=range]), textarea, select, [contenteditable=true], .cm-content";

document.addEventListener("keydown", (event) => {
  // Inside of an editor's shadow tree the event's target is its host.
  const target = event.composedPath()[0] as Element | undefined;
  const isTyping = target instanceof Element && target.closest(IN_TEXT) !== null;
  const name = nameOf(event);
  // A dialog has the keyboard to itself.
  const isInDialog = document.querySelector("dialog[open]") !== null;
  if (event.defaultPrevented || isInDialog || (isTyping && name !== "Escape" && !name.startsWith("Mod+"))) return;
  const isSecond = prefix && event.timeStamp - prefixAt < 1000;
  const wanted = isSecond ? `${prefix} ${name}` : name;
  prefix = "";
  const found = bindings.findLast((binding) => binding.keys.split(", ").includes(wanted));
  if (found) {
    event.preventDefault();
    found.run(event);
  } else if (bindings.some((binding) => binding.keys.split(", ").some((keys) => keys.startsWith(`${name} `)))) {
    prefix = name;
    prefixAt = event.timeStamp;
  }
});

/** Takes the focus from the field that somebody types in; false when there is none. */
export function leaveField(): boolean {
  let field = document.activeElement;
  while (field?.shadowRoot?.activeElement) field = field.shadowRoot.activeElement;
  if (!(field instanceof HTMLElement && field.closest(IN_TEXT))) return false;
  field.blur();
  return true;
}

function nameOf(event: KeyboardEvent): string {
  const isCommand = event.ctrlKey || event.metaKey;
  return (isCommand ? "Mod+" : "") + (event.shiftKey && event.key.length > 1 ? "Shift+" : "") + event.key;
}

/** Binds while the component is shown. `keys` is like `j, ArrowDown` or `g l` (one after the other). */
export function useKey(keys: string, label: string, run: (event: KeyboardEvent) => void, isOn = true): void {
  const latest = useRef(run);
  latest.current = run;
  // At once, not after the next frame: what is on the screen can be asked for.
  useLayoutEffect(() => {
    if (!isOn) return;
    const binding = { keys, label, run: (event: KeyboardEvent) => latest.current(event) };
    bindings.push(binding);
    return () => void bindings.splice(bindings.indexOf(binding), 1);
  }, [keys, label, isOn]);
}

/** What is bound now, for the help. */
export function boundKeys(): { keys: string; label: string }[] {
  const seen = new Map(bindings.filter((binding) => binding.label).map((binding) => [binding.keys, binding.label]));
  return [...seen].map(([keys, label]) => ({ keys, label }));
}
