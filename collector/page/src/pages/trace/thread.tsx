// The trace as one conversation: what each model was told and said, message by message, without repeats.
import { useLoaded } from "../../lib/load";
import { Empty, ErrorBox, Spinner } from "../../ui/basics";
import { TypeIcon } from "../../ui/icons";
import { parseJson } from "../../ui/json";
import { Conversation, type Message, readMessages } from "../../ui/messages";
import { Rendered } from "../../ui/value";
import { loadThread, type Relation, type ThreadSpan } from "./load";

interface Turn {
  span: ThreadSpan;
  messages: Message[] | null;
}

export function Thread({ project, traceId, relation, round, onSelect }: { project: string; traceId: string; relation: Relation; round: number; onSelect: (spanId: string) => void }) {
  const spans = useLoaded(`${project} ${traceId} ${round}`, (signal) => loadThread(project, traceId, relation, signal));
  if (spans.error) return <ErrorBox what="The conversation could not be read" error={spans.error} onRetry={spans.reload} />;
  if (!spans.data) return <div class="page-loading"><Spinner /></div>;
  const turns = newMessages(spans.data);
  if (!turns.length) return <Empty icon="chat" title="No conversation in this trace"><p>Calls of models and tools would show here one after the other.</p></Empty>;
  return (
    <div class="thread">
      {turns.map(({ span, messages }) => (
        <section key={span.span_id}>
          <button type="button" class="thread-span" onClick={() => onSelect(span.span_id)} title="Look at this span">
            <TypeIcon type={span.type} /> {span.name}
          </button>
          {messages ? <Conversation messages={messages} /> : <ToolTurn span={span} />}
        </section>
      ))}
    </div>
  );
}

function ToolTurn({ span }: { span: ThreadSpan }) {
  return (
    <div class="message tool">
      {span.input !== "" && <Rendered value={parseJson(span.input)} />}
      {span.output !== "" && <><hr /><Rendered value={parseJson(span.output)} /></>}
    </div>
  );
}

/** Each call repeats what was said before it: only what is new is kept. */
function newMessages(spans: ThreadSpan[]): Turn[] {
  const seen = new Set<string>();
  const turns: Turn[] = [];
  for (const span of spans) {
    const input = readMessages(parseJson(span.input)) ?? [];
    const output = readMessages(parseJson(span.output), "assistant") ?? [];
    if (!input.length && !output.length) {
      turns.push({ span, messages: null });
      continue;
    }
    const fresh = [...input, ...output].filter((message) => {
      const identity = JSON.stringify([message.role, message.content, message.toolCalls]);
      return !seen.has(identity) && seen.add(identity);
    });
    if (fresh.length) turns.push({ span, messages: fresh });
  }
  return turns;
}
