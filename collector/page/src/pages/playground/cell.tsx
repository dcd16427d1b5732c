// One output as it comes: text, then how it is rendered, what it cost, how it was scored.
import type { Signal } from "@preact/signals";
import { useState } from "preact/hooks";
import { counted, dollars, duration, score, whole } from "../../lib/format";
import { Button, CopyButton, toastError } from "../../ui/basics";
import { Icon } from "../../ui/icons";
import { LongText, pretty } from "../../ui/json";
import { Conversation, readMessages } from "../../ui/messages";
import { TextDiff } from "../../ui/textdiff";
import { Rendered } from "../../ui/value";
import { grade } from "../logs/cells";
import type { RunEnd, RunScore } from "./api";
import type { ScorerChoice, Variant } from "./config";
import { type Cell, isCurrent, keyOf, runOne, stop } from "./runs";

interface Props {
  cell: Signal<Cell>;
  name: string;
  variant: Variant;
  scorers: ScorerChoice[];
  at: number;
  /** The output that differences are shown to. */
  before: Signal<Cell> | undefined;
  isAgainstExpected: boolean;
}

export function OutputCell({ cell: source, name, variant, scorers, at, before, isAgainstExpected }: Props) {
  const cell = source.value;
  const isOpen = cell.status === "waiting" || cell.status === "running";
  const isStale = !isOpen && !isCurrent(cell, variant, scorers);
  const again = () => {
    try {
      runOne(variant, scorers, at);
    } catch (error) {
      toastError("Not run", error);
    }
  };
  return (
    <article class={`output-cell ${cell.status}${isStale ? " stale" : ""}`} aria-label={name} aria-busy={isOpen}>
      <div class="output-body">
        <Output cell={cell} before={before?.value} isAgainstExpected={isAgainstExpected} />
        {cell.error && <p class="output-error" role="alert"><Icon name="alert" size={14} /> <span>{cell.error}</span></p>}
      </div>
      <Scores scores={cell.scores} expected={cell.status === "running" && cell.end !== undefined ? cell.question.scorers.length : 0} />
      <footer>
        {cell.status === "running" && !cell.end && <span class="spinner" aria-hidden="true" />}
        {cell.status === "waiting" && <span class="hint">waiting</span>}
        {cell.status === "stopped" && <span class="hint">stopped</span>}
        {isStale && <span class="hint" title="The prompt, its parameters or the scorers have changed since.">before the change</span>}
        {cell.end && <Facts end={cell.end} />}
        <span class="grow" />
        {cell.text && !isOpen && <CopyButton label={`Copy: ${name}`} text={() => cell.text} />}
        {isOpen ? <Button kind="quiet" icon="stop" label={`Stop: ${name}`} onClick={() => stop(keyOf(variant.id, at))} /> : <Button kind="quiet" icon="refresh" label={`Again: ${name}`} onClick={again} />}
      </footer>
      {cell.end && cell.end.messages.length > 0 && <Sent messages={cell.end.messages} />}
    </article>
  );
}

function Output({ cell, before, isAgainstExpected }: { cell: Cell; before: Cell | undefined; isAgainstExpected: boolean }) {
  // Until it has ended it is text: half of a table or a link is none.
  if (!cell.end) return <p class="output-text">{cell.text}</p>;
  const { output } = cell.end;
  if (output === undefined) return null;
  const other = isAgainstExpected ? cell.row.expected : before?.end?.output;
  if (other !== undefined) return <TextDiff before={pretty(other)} after={pretty(output)} />;
  return typeof output === "string" && output.length > 20_000 ? <LongText text={output} /> : <Rendered value={output} role="assistant" />;
}

function Facts({ end }: { end: RunEnd }) {
  const tokens = (end.prompt_tokens ?? 0) + (end.completion_tokens ?? 0);
  const told = [
    [duration(end.duration), "from the request to the last word"],
    [end.time_to_first_token === undefined ? "" : `first ${duration(end.time_to_first_token)}`, "to the first word"],
    [tokens ? counted(tokens, "token") : "", `${whole(end.prompt_tokens ?? 0)} in, ${whole(end.completion_tokens ?? 0)} out`],
    [end.cost === undefined ? "" : dollars(end.cost) || "$0", "by the price table"],
  ] as const;
  return <span class="output-facts">{told.filter(([text]) => text).map(([text, title]) => <span key={title} title={title}>{text}</span>)}</span>;
}

function Scores({ scores, expected }: { scores: RunScore[]; expected: number }) {
  const words = scores.filter((one) => one.reason || one.error);
  if (!scores.length && !expected) return null;
  return (
    <div class="output-scores">
      {scores.map((one) => <ScoreChip key={one.name} one={one} />)}
      {expected > scores.length && <span class="spinner" aria-hidden="true" />}
      {words.length > 0 && (
        <details>
          <summary class="hint">why</summary>
          <dl class="fields">{words.map((one) => <div key={one.name}><dt>{one.name}</dt><dd class={one.error ? "bad" : ""}>{one.error || one.reason}</dd></div>)}</dl>
        </details>
      )}
    </div>
  );
}

function ScoreChip({ one }: { one: RunScore }) {
  if (one.error) return <span class="score low" title={one.error}><span class="score-name">{one.name}</span> failed</span>;
  if (one.score === undefined) return <span class="tag" title={one.reason || "The scorer found nothing to say"}>{one.name}: skipped</span>;
  return <span class={`score ${grade(one.score)}`} title={one.reason || one.name}><span class="score-name">{one.name}</span> {score(one.score)}</span>;
}

function Sent({ messages }: { messages: unknown[] }) {
  const [isOpen, setOpen] = useState(false);
  const read = isOpen ? readMessages(messages) : null;
  return (
    <details class="output-sent" onToggle={(event) => setOpen((event.currentTarget as HTMLDetailsElement).open)}>
      <summary class="hint">What was sent</summary>
      {isOpen && (read ? <Conversation messages={read} /> : <pre>{pretty(messages)}</pre>)}
    </details>
  );
}
