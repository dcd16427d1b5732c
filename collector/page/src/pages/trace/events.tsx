// What happened inside of a span, or of a whole trace: its events and its log records, in their order.
import type { ComponentChildren } from "preact";
import { clock, parseTime } from "../../lib/format";
import { Empty } from "../../ui/basics";
import { JsonTree, LongText } from "../../ui/json";
import type { LogLine, SpanDetail } from "./load";
import type { Tree } from "./tree";

/** The events of one span, and the log records that name it. */
export function Events({ span, lines }: { span: SpanDetail; lines: LogLine[] }) {
  const all = [
    ...span.events.map((event) => ({ time: event.time, text: event.name, severity: "", attributes: event.attributes })),
    ...lines.map((line) => ({ time: line.time, text: line.body, severity: line.severity, attributes: line.attributes })),
  ].sort((a, b) => parseTime(a.time) - parseTime(b.time));
  if (!all.length) return <p class="hint">This span has no events, and no log record names it.</p>;
  return <ol class="events">{all.map((one, at) => <Happening key={at} {...one} />)}</ol>;
}

/** The log records of a trace, each with the span that wrote it. */
export function TraceLogs({ lines, tree, onSelect }: { lines: LogLine[]; tree: Tree; onSelect: (spanId: string) => void }) {
  if (!lines.length) return <Empty icon="rows" title="No log record names this trace"><p>With <code>logging.getLogger().addHandler(spanloop.logging_handler())</code> what your code logs shows here.</p></Empty>;
  return (
    <ol class="events trace-logs" aria-label="Log records of the trace">
      {lines.map((line, at) => (
        <Happening key={at} time={line.time} text={line.body} severity={line.severity} attributes={line.attributes}>
          {tree.byId.has(line.span_id) && <button type="button" class="link" title="Look at this span" onClick={() => onSelect(line.span_id)}>{tree.byId.get(line.span_id)!.line.name || "(no name)"}</button>}
        </Happening>
      ))}
    </ol>
  );
}

interface HappeningProps {
  time: string;
  text: string;
  severity: string;
  attributes: Record<string, string>;
  children?: ComponentChildren;
}

function Happening({ time, text, severity, attributes, children }: HappeningProps) {
  return (
    <li>
      <time>{clock(parseTime(time))}</time>
      {severity && <span class={`severity ${severity.toLowerCase()}`}>{severity}</span>}
      <div class="grow">
        <LongText text={text} />
        {Object.keys(attributes).length > 0 && <JsonTree value={attributes} depth={0} />}
      </div>
      {children}
    </li>
  );
}
