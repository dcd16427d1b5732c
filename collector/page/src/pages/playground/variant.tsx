// One variant: a model, its parameters, the messages of the prompt.
import { useId, useState } from "preact/hooks";
import { Button } from "../../ui/basics";
import type { Endpoint } from "./api";
import { change, changeVariant, config, MAX_VARIANTS, newId, type PromptMessage, type Variant } from "./config";
import { has, type InputRow, placeholders } from "./inputs";

const ROLES = ["system", "user", "assistant"];

interface Props {
  variant: Variant;
  name: string;
  endpoints: Endpoint[];
  rows: InputRow[];
  canRemove: boolean;
}

export function PromptCard({ variant, name, endpoints, rows, canRemove }: Props) {
  const set = (changes: Partial<Variant>) => changeVariant(variant.id, changes);
  const setMessages = (messages: PromptMessage[]) => set({ messages });
  const setMessage = (at: number, changes: Partial<PromptMessage>) => setMessages(variant.messages.map((one, place) => (place === at ? { ...one, ...changes } : one)));
  const copy = () => {
    const { variants } = config.value;
    const at = variants.findIndex((one) => one.id === variant.id);
    change({ variants: [...variants.slice(0, at + 1), { ...variant, id: newId() }, ...variants.slice(at + 1)] });
  };
  const remove = () => change({ variants: config.value.variants.filter((one) => one.id !== variant.id) });
  return (
    <section class="prompt-card" aria-label={`Variant ${name}`}>
      <header>
        <VariantSign name={name} />
        <ModelFields variant={variant} name={name} endpoints={endpoints} onChange={set} />
      </header>
      <Parameters variant={variant} onChange={set} />
      <ol class="prompt-messages" aria-label={`Messages of ${name}`}>
        {variant.messages.map((message, at) => (
          <li key={at}>
            <MessageEditor message={message} where={`${name}, message ${at + 1}`} onChange={(changes) => setMessage(at, changes)} onRemove={() => setMessages(variant.messages.filter((_, place) => place !== at))} canRemove={variant.messages.length > 1} />
          </li>
        ))}
      </ol>
      <div class="row-start">
        <Button icon="plus" onClick={() => setMessages([...variant.messages, { role: variant.messages.at(-1)?.role === "user" ? "assistant" : "user", content: "" }])}>Message</Button>
        <span class="grow"><Placeholders variant={variant} rows={rows} /></span>
        <Button kind="quiet" icon="copy" label={`Copy variant ${name}`} onClick={copy} disabled={config.value.variants.length >= MAX_VARIANTS} />
        {canRemove && <Button kind="quiet" icon="trash" label={`Remove variant ${name}`} onClick={remove} />}
      </div>
    </section>
  );
}

export function VariantSign({ name }: { name: string }) {
  return <span class={`variant-sign c${name.charCodeAt(0) - 65}`} aria-hidden="true"><span>{name}</span></span>;
}

function ModelFields({ variant, name, endpoints, onChange }: { variant: Variant; name: string; endpoints: Endpoint[]; onChange: (changes: Partial<Variant>) => void }) {
  const id = useId();
  const endpoint = endpoints.find((one) => one.name === variant.endpoint);
  const choose = (chosen: string) => {
    const models = endpoints.find((one) => one.name === chosen)?.models ?? [];
    onChange({ endpoint: chosen, model: models.includes(variant.model) ? variant.model : "" });
  };
  return (
    <>
      {endpoints.length > 1 && (
        <select aria-label={`Provider of ${name}`} value={variant.endpoint} onChange={(event) => choose(event.currentTarget.value)}>
          {endpoints.map((one) => <option key={one.name} value={one.name}>{one.name}</option>)}
        </select>
      )}
      <input class="grow" aria-label={`Model of ${name}`} list={id} value={variant.model} placeholder="model" title={endpoint?.problem || variant.model} spellcheck={false} onInput={(event) => onChange({ model: event.currentTarget.value })} onFocus={(event) => event.currentTarget.select()} />
      <datalist id={id}>{endpoint?.models.map((model) => <option key={model} value={model} />)}</datalist>
    </>
  );
}

function Parameters({ variant, onChange }: { variant: Variant; onChange: (changes: Partial<Variant>) => void }) {
  // Only at first: emptying a field must not close it.
  const [isOpen] = useState(variant.temperature !== "" || variant.maxTokens !== "" || variant.more !== "");
  return (
    <details class="prompt-parameters" open={isOpen}>
      <summary>Parameters</summary>
      <div class="prompt-numbers">
        <label>Temperature<input inputMode="decimal" value={variant.temperature} placeholder="default" onInput={(event) => onChange({ temperature: event.currentTarget.value })} /></label>
        <label>Max tokens<input inputMode="numeric" value={variant.maxTokens} placeholder="default" onInput={(event) => onChange({ maxTokens: event.currentTarget.value })} /></label>
        <label class="wide">Others, as JSON<textarea rows={1} spellcheck={false} value={variant.more} placeholder={'{"top_p": 0.9, "tools": []}'} aria-invalid={!isObjectText(variant.more)} onInput={(event) => onChange({ more: event.currentTarget.value })} /></label>
      </div>
    </details>
  );
}

function isObjectText(text: string): boolean {
  if (!text.trim()) return true;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

function MessageEditor(props: { message: PromptMessage; where: string; onChange: (changes: Partial<PromptMessage>) => void; onRemove: () => void; canRemove: boolean }) {
  const { message, where, onChange } = props;
  const roles = ROLES.includes(message.role) ? ROLES : [...ROLES, message.role];
  return (
    <div class={`prompt-message ${ROLES.includes(message.role) ? message.role : "other"}`}>
      <header>
        <select aria-label={`Role of ${where}`} value={message.role} onChange={(event) => onChange({ role: event.currentTarget.value })}>
          {roles.map((role) => <option key={role} value={role}>{role}</option>)}
        </select>
        {message.isJson && <span class="hint" title="This message holds more than text: its fields are edited as JSON.">JSON</span>}
        <span class="grow" />
        {props.canRemove && <Button kind="quiet" icon="close" label={`Remove ${where}`} onClick={props.onRemove} />}
      </header>
      <textarea aria-label={`Text of ${where}`} value={message.content} rows={2} placeholder={message.role === "system" ? "How to answer" : "Use {{input}}, {{input.question}}, {{expected}} or {{metadata.user}}"} aria-invalid={message.isJson && !isObjectText(message.content)} spellcheck={!message.isJson} onInput={(event) => onChange({ content: event.currentTarget.value })} />
    </div>
  );
}

/** What the prompt asks for, and what the inputs lack of it. */
function Placeholders({ variant, rows }: { variant: Variant; rows: InputRow[] }) {
  const names = placeholders(variant.messages.map((message) => message.content));
  const lacking = names.map((name) => [name, rows.filter((row) => !has(row, name)).length] as const).filter(([, count]) => count > 0);
  if (!names.length) return <span class="hint">{rows.length > 1 ? "The same for every input: nothing of them is used." : ""}</span>;
  if (!lacking.length) return <span class="hint ellipsis">uses {names.join(", ")}</span>;
  return <span class="warn-text">{lacking.map(([name, count]) => `{{${name}}} is empty${rows.length > 1 ? ` in ${count} of ${rows.length}` : ""}`).join(", ")}</span>;
}

