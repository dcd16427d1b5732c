// The verdict on a row: scores by digits, the answer it should have been, a comment, tags.
import { useEffect, useRef, useState } from "preact/hooks";
import { score } from "../../lib/format";
import { useKey } from "../../lib/keys";
import { useLoaded } from "../../lib/load";
import { Button, toast, toastError } from "../../ui/basics";
import { parseJson, pretty } from "../../ui/json";
import { me } from "../logs/me";
import { type Item, knownScores, type Row, submit, type Verdict } from "./api";
import { askForName } from "./index";

/** What a score is called where nobody gave one before. */
const FIRST_SCORE = "human";
const STEPS = [0, 0.25, 0.5, 0.75, 1];

interface Props {
  item: Item;
  row: Row;
  project: string;
  onChanged: () => void;
  onDone: () => void;
}

export function VerdictForm({ item, row, project, onChanged, onDone }: Props) {
  const [scores, setScores] = useState<Record<string, number>>({});
  const [added, setAdded] = useState<string[]>([]);
  const [at, setAt] = useState(0);
  const [expected, setExpected] = useState<string | null>(null);
  const [comment, setComment] = useState("");
  const [tags, setTags] = useState("");
  const [isBusy, setBusy] = useState(false);
  const known = useLoaded(`${project} ${item.queue}`, (signal) => knownScores(project, item.queue, signal));
  const names = [...new Set([...(known.data?.length ? known.data : [FIRST_SCORE]), ...added])];
  const fields = { expected: useRef<HTMLTextAreaElement>(null), comment: useRef<HTMLInputElement>(null), tags: useRef<HTMLInputElement>(null) };
  const give = (name: string, value: number) => setScores((old) => (old[name] === value ? without(old, name) : { ...old, [name]: value }));
  const rate = (value: number) => {
    const name = names[Math.min(at, names.length - 1)]!;
    give(name, value);
    if (at < names.length - 1) setAt(at + 1);
  };
  const correct = () => setExpected((old) => old ?? pretty(row.expected ?? row.output ?? ""));
  const send = async () => {
    if (!me.value) return askForName();
    setBusy(true);
    try {
      await submit(project, me.value, item.id, verdictOf({ scores, expected, comment, tags }));
      toast("Done");
      onDone();
    } catch (error) {
      toastError("The review was not saved", error);
      setBusy(false);
      onChanged();
    }
  };
  for (const [number, value] of STEPS.entries()) useKey(String(number + 1), `Score ${score(value)}`, () => rate(value));
  useKey("ArrowUp, [", "Score above", () => setAt(Math.max(0, at - 1)), names.length > 1);
  useKey("ArrowDown, ]", "Score below", () => setAt(Math.min(names.length - 1, at + 1)), names.length > 1);
  useKey("e", "Correct the expected answer", () => (correct(), setTimeout(() => fields.expected.current?.focus())));
  useKey("m", "Comment", () => fields.comment.current?.focus());
  useKey("t", "Tags", () => fields.tags.current?.focus());
  useKey("Mod+Enter, d", "Done, and the next row", () => void send());
  useEffect(() => {
    if (expected === "") fields.expected.current?.focus();
  }, [expected === null]);
  return (
    <section class="verdict-form" aria-label="Your review">
      <div class="verdict-scores" role="group" aria-label="Scores">
        {names.map((name, index) => (
          <div class={`verdict-score${index === at ? " at" : ""}`} key={name} onClick={() => setAt(index)}>
            <span class="ellipsis" title={name}>{name}</span>
            <div class="segmented" role="radiogroup" aria-label={`Score ${name}`}>
              {STEPS.map((value, number) => <button type="button" role="radio" aria-checked={scores[name] === value} key={value} title={`${number + 1}`} onClick={() => give(name, value)}>{score(value)}</button>)}
            </div>
          </div>
        ))}
        <NewScore onAdd={(name) => (setAdded([...added, name]), setAt(names.length))} />
      </div>
      {expected === null ? (
        <div><Button icon="edit" label="Correct the expected answer (e)" onClick={correct}>Correct the expected answer</Button></div>
      ) : (
        <label class="field">
          What it should have been, as text or JSON
          <textarea ref={fields.expected} rows={Math.min(16, expected.split("\n").length + 2)} value={expected} onInput={(event) => setExpected(event.currentTarget.value)} />
        </label>
      )}
      <div class="fields-row">
        <label class="field grow">Comment <input ref={fields.comment} value={comment} onInput={(event) => setComment(event.currentTarget.value)} /></label>
        <label class="field">Tags, with commas <input ref={fields.tags} value={tags} onInput={(event) => setTags(event.currentTarget.value)} /></label>
      </div>
      <div class="row-start">
        <Button kind="primary" icon="check" label="Done, and the next row (d)" disabled={isBusy} onClick={send}>Done, next</Button>
        {expected !== null && <Button kind="quiet" onClick={() => setExpected(null)}>Leave the expected answer</Button>}
        <span class="hint">Keys 1 to 5 score, ? lists the others.</span>
      </div>
    </section>
  );
}

function without(scores: Record<string, number>, name: string): Record<string, number> {
  const { [name]: _, ...others } = scores;
  return others;
}

function verdictOf({ scores, expected, comment, tags }: { scores: Record<string, number>; expected: string | null; comment: string; tags: string }): Verdict {
  return {
    scores,
    ...(expected === null ? {} : { expected: parseJson(expected) }),
    comment: comment.trim(),
    tags: tags.split(",").map((tag) => tag.trim()).filter(Boolean),
  };
}

function NewScore({ onAdd }: { onAdd: (name: string) => void }) {
  const [name, setName] = useState("");
  const add = (event: Event) => {
    event.preventDefault();
    if (name.trim()) onAdd(name.trim());
    setName("");
    (document.activeElement as HTMLElement).blur();
  };
  return (
    <form class="verdict-score" onSubmit={add}>
      <input aria-label="Name of another score" placeholder="another score" value={name} onInput={(event) => setName(event.currentTarget.value)} />
      <Button type="submit" icon="plus" label="Add the score" disabled={!name.trim()} />
    </form>
  );
}
