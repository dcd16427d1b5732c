// What a person adds to a row: a verdict, a comment, tags, the answer that it should have been.
import { useState } from "preact/hooks";
import { change, giveFeedback } from "../../lib/rows";
import { Button, Menu, toast, toastError } from "../../ui/basics";
import { Icon } from "../../ui/icons";
import { parseJson, pretty } from "../../ui/json";
import { ScoreForm } from "../../ui/scoreform";
import { ValueView } from "../../ui/value";
import { PromoteDialog, theseRows } from "../logs/promote";
import type { Relation, SpanDetail } from "./load";

interface Props {
  project: string;
  span: SpanDetail;
  onChanged: () => void;
}

export const VERDICT = "thumbs";

async function save(work: Promise<void>, done: string, onChanged: () => void): Promise<boolean> {
  try {
    await work;
    toast(done);
    onChanged();
    return true;
  } catch (error) {
    toastError("Not saved", error);
    return false;
  }
}

export function FeedbackBar({ project, span, onChanged, relation }: Props & { relation: Relation }) {
  const [isPromoting, setPromoting] = useState(false);
  const [comment, setComment] = useState("");
  const verdict = span.scores[VERDICT];
  const judge = (value: number) => save(giveFeedback(project, [{ id: span.id, scores: { [VERDICT]: verdict === value ? null : value } }]), "Verdict saved", onChanged);
  const send = async (event: Event) => {
    event.preventDefault();
    if (comment.trim() && (await save(giveFeedback(project, [{ id: span.id, comment: comment.trim() }]), "Comment saved", onChanged))) setComment("");
  };
  return (
    <div class="feedback">
      <Button icon="thumbUp" label="Good" isOn={verdict === 1} onClick={() => judge(1)} />
      <Button icon="thumbDown" label="Bad" isOn={verdict === 0} onClick={() => judge(0)} />
      <ScoreMenu project={project} span={span} onChanged={onChanged} />
      <Button icon="datasets" label="Add to a dataset" onClick={() => setPromoting(true)} />
      {isPromoting && <PromoteDialog project={project} relation={relation} where={theseRows([span.span_id])} onClose={() => setPromoting(false)} onDone={onChanged} />}
      <form class="grow" onSubmit={send}>
        <input aria-label="Comment" placeholder="Comment…" value={comment} onInput={(event) => setComment(event.currentTarget.value)} />
      </form>
    </div>
  );
}

function ScoreMenu({ project, span, onChanged }: Props) {
  const give = (name: string, value: number) => save(giveFeedback(project, [{ id: span.id, scores: { [name]: value } }]), `Scored ${name} ${value * 100}%`, onChanged);
  return (
    <Menu label="Score" button={<><Icon name="score" /> Score</>}>
      {(close) => <ScoreForm known={Object.keys(span.scores)} onScore={async (name, value) => (await give(name, value)) && close()} />}
    </Menu>
  );
}

export function TagsEditor({ project, span, onChanged }: Props) {
  const [draft, setDraft] = useState("");
  const set = (tags: string[], done: string) => save(change(project, [{ id: span.id, tags }]), done, onChanged);
  const add = async (event: Event) => {
    event.preventDefault();
    const tag = draft.trim();
    if (tag && (await set([...new Set([...span.tags, tag])], `Tagged with ${tag}`))) setDraft("");
  };
  return (
    <section class="tags-editor" aria-label="Tags">
      <Icon name="tag" size={14} />
      {span.tags.map((tag) => (
        <span class="chip" key={tag}>
          <span class="chip-text">{tag}</span>
          <button type="button" class="chip-close" aria-label={`Remove the tag ${tag}`} onClick={() => set(span.tags.filter((one) => one !== tag), `Removed ${tag}`)}><Icon name="close" size={12} /></button>
        </span>
      ))}
      <form onSubmit={add}>
        <input aria-label="Add a tag" placeholder="Add a tag" value={draft} onInput={(event) => setDraft(event.currentTarget.value)} />
      </form>
    </section>
  );
}

/** The expected answer, edited as text or as JSON. */
export function EditExpected({ project, span, onChanged }: Props) {
  const [draft, setDraft] = useState<string | null>(null);
  const start = (from: string) => setDraft(from === "" ? "" : pretty(parseJson(from)));
  const submit = async () => {
    if (draft !== null && (await save(change(project, [{ id: span.id, expected: draft.trim() === "" ? null : parseJson(draft) }]), "Expected answer saved", onChanged))) setDraft(null);
  };
  if (draft === null) {
    const edit = <Button kind="quiet" icon="edit" label="Edit the expected answer" onClick={() => start(span.expected)} />;
    if (span.expected !== "") return <ValueView title="Expected" text={span.expected} actions={edit} role="assistant" />;
    return (
      <div class="row-start">
        <Button icon="edit" onClick={() => start("")}>Write the expected answer</Button>
        {span.output !== "" && <Button kind="quiet" onClick={() => start(span.output)}>Start from the output</Button>}
      </div>
    );
  }
  const keys = (event: KeyboardEvent) => {
    if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) void submit();
  };
  return (
    <section class="value" aria-label="Expected">
      <header><h3>Expected</h3></header>
      <textarea aria-label="Expected answer, text or JSON" rows={Math.min(20, draft.split("\n").length + 3)} value={draft} onInput={(event) => setDraft(event.currentTarget.value)} onKeyDown={keys} />
      <div class="row-start">
        <Button kind="primary" onClick={submit}>Save</Button>
        <Button kind="quiet" onClick={() => setDraft(null)}>Cancel</Button>
        <span class="hint">JSON is kept as JSON, anything else as text. Ctrl+Enter saves.</span>
      </div>
    </section>
  );
}
