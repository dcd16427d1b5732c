// One JSON value of a span, as a conversation, as text, as a tree or as it was written.
import { useState } from "preact/hooks";
import { CopyButton, Segmented } from "./basics";
import { JsonTree, LongText, parseJson, pretty } from "./json";
import { Markdown } from "./markdown";
import { AttachmentView, DataView, isAttachment, isDataUri } from "./media";
import { Content, Conversation, readMessages } from "./messages";

type Look = "rendered" | "tree" | "raw";

/** `text` is JSON text as the database keeps it. */
export function ValueView({ text, title, actions, role }: { text: string; title: string; actions?: preact.ComponentChildren; role?: string }) {
  const [look, setLook] = useState<Look>("rendered");
  const value = parseJson(text);
  return (
    <section class="value" aria-label={title}>
      <header>
        <h3>{title}</h3>
        <span class="grow" />
        {actions}
        <Segmented label={`How to show ${title}`} value={look} onChange={setLook} options={[["rendered", "Rendered"], ["tree", "Tree"], ["raw", "Raw"]]} />
        <CopyButton label={`Copy ${title}`} text={() => pretty(value)} />
      </header>
      <div class="value-body">
        {look === "rendered" ? <Rendered value={value} role={role ?? "user"} /> : look === "tree" ? <JsonTree value={value} depth={4} /> : <pre><LongText text={pretty(value)} /></pre>}
      </div>
    </section>
  );
}

export function Rendered({ value, role = "user" }: { value: unknown; role?: string }) {
  if (isDataUri(value)) return <DataView uri={value} />;
  if (typeof value === "string") return <Markdown text={value} />;
  if (isAttachment(value)) return <AttachmentView value={value} />;
  const messages = readMessages(value, role);
  if (messages) return <Conversation messages={messages} />;
  if (Array.isArray(value) && value.some(isPart)) return <Content value={value} />;
  return <FieldsView value={value} />;
}

function isPart(value: unknown): boolean {
  return isAttachment(value) || (typeof value === "object" && value !== null && "type" in value && ["text", "image_url", "source", "file", "input_audio"].some((key) => key in value));
}

/** Short objects read best with their texts rendered one under the other. */
function FieldsView({ value }: { value: unknown }) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return <JsonTree value={value} depth={3} />;
  const entries = Object.entries(value);
  const needsRoom = entries.some(([, item]) => isDataUri(item) || isAttachment(item) || (typeof item === "string" && (item.includes("\n") || item.length > 120)));
  if (!needsRoom || entries.length > 12) return <JsonTree value={value} depth={3} />;
  return (
    <dl class="fields">
      {entries.map(([name, item]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{typeof item === "string" || isAttachment(item) ? <Rendered value={item} /> : <JsonTree value={item} depth={2} />}</dd>
        </div>
      ))}
    </dl>
  );
}
