// A place to write SQL: a plain field at once, the editor when it is loaded. That is larger than all the rest of the
// page, so that a patient field asks for it when it has the focus or the page has come to rest.
import { useEffect, useRef, useState } from "preact/hooks";
import { leaveField } from "../lib/keys";
import { loadSchema, schema } from "../lib/schema";
import type { Editor } from "./editor";

const EDITOR_AFTER_MS = 1000;
/** The field is not exchanged under a person's hands. */
const PAUSE_MS = 300;

interface Props {
  value: string;
  onChange: (text: string) => void;
  onSubmit: () => void;
  label: string;
  hint: string;
  isOneLine?: boolean;
  isPatient?: boolean;
  /** Where the statement is wrong. */
  errorAt?: number | null;
  /** Changes when the field should take the focus. */
  focus?: number;
}

export function SqlInput(props: Props) {
  const host = useRef<HTMLDivElement>(null);
  const plain = useRef<HTMLTextAreaElement>(null);
  const editor = useRef<Editor | null>(null);
  // What was typed comes back as `value` a moment later, when more may have been typed: it must not overwrite that.
  const typed = useRef(new Set<string>());
  const latest = useRef(props);
  latest.current = props;
  const touched = useRef(-PAUSE_MS);
  const type = (text: string) => {
    touched.current = performance.now();
    typed.current.add(text);
    latest.current.onChange(text);
  };
  const [isReady, setReady] = useState(false);
  const [isWanted, setWanted] = useState(!props.isPatient);
  useEffect(() => {
    const timer = setTimeout(() => setWanted(true), EDITOR_AFTER_MS);
    return () => clearTimeout(timer);
  }, []);
  useEffect(() => {
    if (!isWanted) return;
    let isGone = false;
    void import("./editor").then(async ({ createEditor }) => {
      while (performance.now() < touched.current + PAUSE_MS) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS / 3));
      if (isGone) return;
      // What was typed into the plain field so far goes on where it was.
      const { value: text, selectionStart: from, selectionEnd: to } = plain.current!;
      const hadFocus = document.activeElement === plain.current;
      editor.current = createEditor({
        parent: host.current!,
        text,
        from,
        to,
        label: props.label,
        hint: props.hint,
        isOneLine: props.isOneLine ?? false,
        onChange: type,
        onSubmit: () => latest.current.onSubmit(),
      });
      editor.current.setSchema(schema.value);
      setReady(true);
      if (hadFocus) editor.current.focus();
    });
    const stop = schema.subscribe((known) => editor.current?.setSchema(known));
    return () => {
      isGone = true;
      stop();
      editor.current?.destroy();
    };
  }, [isWanted]);
  useEffect(() => {
    const isCurrent = editor.current?.getText() === props.value;
    if (isCurrent) typed.current.clear();
    else if (!typed.current.has(props.value)) editor.current?.setText(props.value);
  }, [props.value, isReady]);
  useEffect(() => editor.current?.setError(props.errorAt ?? null), [props.errorAt, isReady]);
  useEffect(() => {
    if (props.focus) (editor.current ?? plain.current)?.focus();
  }, [props.focus]);
  const send = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || !(props.isOneLine || event.metaKey || event.ctrlKey)) return;
    event.preventDefault();
    props.onSubmit();
  };
  // Where no completion is open that it could close, Escape leaves the field: not the dialog around it, which would go
  // with all that was typed.
  const leave = (event: KeyboardEvent) => {
    if (event.key === "Escape" && !event.defaultPrevented && host.current?.closest("dialog") && leaveField()) event.preventDefault();
  };
  return (
    <div class={`sql-input${props.isOneLine ? " one-line" : ""}`} onFocusIn={() => void loadSchema()} onKeyDown={leave}>
      <div ref={host} class="sql-host" />
      {!isReady && <textarea ref={plain} onFocus={() => ((touched.current = performance.now()), setWanted(true))} rows={props.isOneLine ? 1 : 8} aria-label={props.label} placeholder={props.hint} value={props.value} spellcheck={false} onInput={(event) => type(event.currentTarget.value)} onKeyDown={send} />}
    </div>
  );
}
