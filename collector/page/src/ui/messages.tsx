// Conversations: the messages inside of inputs and outputs, whichever provider's shape they have.
import { useState } from "preact/hooks";
import { JsonTree, parseJson } from "./json";
import { Markdown, OutsideLink } from "./markdown";
import { AttachmentView, DataView, isAttachment, isDataUri } from "./media";

export interface Message {
  role: string;
  content: unknown;
  name?: string;
  toolCalls: { name: string; input: unknown; id?: string }[];
}

type Fields = Record<string, unknown>;

const isFields = (value: unknown): value is Fields => typeof value === "object" && value !== null && !Array.isArray(value);

/** The messages of a value; null when it is no conversation. */
export function readMessages(value: unknown, outputRole = "user"): Message[] | null {
  if (Array.isArray(value)) {
    const found = value.map((item) => readMessage(item, outputRole));
    return found.length && found.every((message) => message !== null) ? (found as Message[]) : null;
  }
  if (!isFields(value)) return null;
  for (const key of ["messages", "choices"]) {
    if (Array.isArray(value[key])) {
      const system = typeof value["system"] === "string" ? [{ role: "system", content: value["system"], toolCalls: [] }] : [];
      const rest = readMessages(value[key], outputRole);
      return rest && [...system, ...rest];
    }
  }
  const single = readMessage(value, outputRole);
  return single && [single];
}

function readMessage(item: unknown, otherwise: string): Message | null {
  if (!isFields(item)) return null;
  // OpenAI's choices and the flattened attributes of OpenInference wrap the message.
  if (isFields(item["message"])) return readMessage(item["message"], "assistant");
  if (item["type"] === "function_call" && typeof item["name"] === "string") {
    return { role: "assistant", content: null, toolCalls: [{ name: item["name"], input: parsed(item["arguments"]) }] };
  }
  if (item["type"] === "function_call_output") return { role: "tool", content: item["output"], toolCalls: [] };
  const role = item["role"];
  const hasContent = "content" in item || "parts" in item || "tool_calls" in item;
  if (typeof role !== "string" || !hasContent) return null;
  const name = typeof item["name"] === "string" ? { name: item["name"] } : {};
  return { role: role || otherwise, content: item["content"] ?? item["parts"] ?? null, toolCalls: readToolCalls(item["tool_calls"]), ...name };
}

function readToolCalls(value: unknown): Message["toolCalls"] {
  const list = Array.isArray(value) ? value : [];
  return list.filter(isFields).map((call) => {
    const inner = isFields(call["function"]) ? call["function"] : call;
    return { name: String(inner["name"] ?? "tool"), input: parsed(inner["arguments"] ?? inner["input"]) };
  });
}

const parsed = (value: unknown) => (typeof value === "string" ? parseJson(value) : value);

export function Conversation({ messages }: { messages: Message[] }) {
  return (
    <div class="conversation">
      {messages.map((message, at) => (
        <MessageView key={at} message={message} />
      ))}
    </div>
  );
}

const FOLDED_LENGTH = 1800;

function MessageView({ message }: { message: Message }) {
  const long = typeof message.content === "string" && message.content.length > FOLDED_LENGTH;
  const [isOpen, setOpen] = useState(!long);
  return (
    <article class={`message ${/^(user|assistant|system|developer|tool)$/.test(message.role) ? message.role : "other"}`}>
      <header>
        {message.role}
        {message.name && <span class="hint"> {message.name}</span>}
      </header>
      <div class={isOpen ? "" : "folded"}>
        <Content value={message.content} />
      </div>
      {long && <button type="button" class="link" onClick={() => setOpen(!isOpen)}>{isOpen ? "Show less" : "Show all"}</button>}
      {message.toolCalls.map((call, at) => (
        <ToolCall key={at} name={call.name} input={call.input} />
      ))}
    </article>
  );
}

function ToolCall({ name, input }: { name: string; input: unknown }) {
  return (
    <div class="tool-call">
      <strong>{name}</strong>
      <JsonTree value={input ?? null} depth={2} />
    </div>
  );
}

/** The content of a message: a text, or parts of many kinds. */
export function Content({ value }: { value: unknown }) {
  if (value === null || value === undefined || value === "") return null;
  if (isDataUri(value)) return <DataView uri={value} />;
  if (typeof value === "string") return <Markdown text={value} />;
  if (Array.isArray(value)) return <>{value.map((part, at) => <Part key={at} value={part} />)}</>;
  return <Part value={value} />;
}

function Part({ value }: { value: unknown }) {
  if (typeof value === "string") return <Content value={value} />;
  if (isAttachment(value)) return <AttachmentView value={value} />;
  if (!isFields(value)) return <JsonTree value={value} />;
  if (typeof value["text"] === "string") return <Markdown text={value["text"]} />;
  if (value["type"] === "text" && typeof value["content"] === "string") return <Markdown text={value["content"]} />;
  if (value["type"] === "thinking" && typeof value["thinking"] === "string") return <blockquote class="markdown">{value["thinking"]}</blockquote>;
  if (value["type"] === "tool_use" || value["type"] === "tool_call") return <ToolCall name={String(value["name"] ?? "tool")} input={parsed(value["input"] ?? value["arguments"])} />;
  if (value["type"] === "tool_result" || value["type"] === "tool_call_response") return <Content value={parsed(value["content"] ?? value["response"] ?? value["result"])} />;
  return <MediaPart value={value} />;
}

function MediaPart({ value }: { value: Fields }) {
  const { content, name } = readMedia(value);
  if (isDataUri(content)) return <DataView uri={content} name={name} />;
  if (isAttachment(content)) return <AttachmentView value={content} />;
  if (typeof content === "string" && /^https?:/.test(content)) return <OutsideLink address={content} label={`${name || "image"} (elsewhere, not loaded)`} />;
  return <JsonTree value={value} depth={2} />;
}

/** Where providers keep a picture, a sound or a document within a part of a message. */
const HOLDERS = ["image_url", "image", "file", "source", "input_audio", "audio", "inline_data"];
const CONTENTS = ["url", "file_data", "data", "uri", "content"];

/** The part's content as a data URI, an attachment or an address; undefined when it has none that can be shown. */
function readMedia(part: Fields): { content: unknown; name: string } {
  for (const holder of [...HOLDERS.map((key) => part[key]), part]) {
    if (typeof holder === "string" || isAttachment(holder)) return { content: holder, name: "" };
    if (!isFields(holder)) continue;
    const content = CONTENTS.map((key) => holder[key]).find((one) => one !== undefined);
    const name = typeof holder["filename"] === "string" ? holder["filename"] : "";
    const type = holder["media_type"] ?? holder["mime_type"] ?? (typeof holder["format"] === "string" ? `audio/${holder["format"]}` : undefined);
    const isPlain = typeof content === "string" && /^[A-Za-z0-9+/=\s]+$/.test(content.slice(0, 100));
    if (content !== undefined) return { content: isPlain && type ? `data:${type};base64,${content}` : content, name };
  }
  return { content: undefined, name: "" };
}
