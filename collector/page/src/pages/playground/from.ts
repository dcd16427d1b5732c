// A logged call of a model as a variant to go on from: its messages, its model, its parameters.
import { askRows, text as literal } from "../../lib/sql";
import { parseJson, pretty } from "../../ui/json";
import { type Config, defaultConfig, newVariant, type PromptMessage } from "./config";
import { isObject } from "./inputs";

interface Call {
  input: string;
  output: string;
  model: string;
  provider: string;
  metadata: Record<string, string>;
  metadata_json: string[];
}

/** As spans name them, and as providers take them. */
const PARAMETERS = ["top_p", "top_k", "seed", "stop", "stop_sequences", "frequency_penalty", "presence_penalty", "tools", "tool_choice", "response_format", "reasoning_effort", "thinking"];

/** The configuration that asks the same again; `named` is `<trace>.<span>`. */
export async function configFrom(project: string, named: string, signal: AbortSignal): Promise<Config> {
  const [traceId = "", spanId = ""] = named.split(".");
  for (const relation of ["logs", "eval_rows"]) {
    const sql = `SELECT input, output, model, provider, metadata, metadata_json FROM ${relation} WHERE project = ${literal(project)} AND trace_id = ${literal(traceId)} AND span_id = ${literal(spanId)} LIMIT 1`;
    const [found] = await askRows<Call>(sql, { signal });
    if (found) return toConfig(found);
  }
  throw new Error("The call is not in this project, or its rows are still on their way.");
}

function toConfig(logged: Call): Config {
  const value = (name: string) => {
    const found = logged.metadata[name] ?? logged.metadata[`gen_ai.request.${name}`];
    return found === undefined ? undefined : parseJson(found);
  };
  const more = Object.fromEntries(PARAMETERS.map((name) => [name, value(name)]).filter(([, found]) => found !== undefined));
  const config = defaultConfig();
  const expected = answerOf(parseJson(logged.output));
  const variant = {
    ...newVariant(),
    endpoint: logged.provider,
    model: logged.model,
    messages: messagesOf(parseJson(logged.input)),
    temperature: asText(value("temperature")),
    maxTokens: asText(value("max_tokens") ?? value("max_completion_tokens")),
    more: Object.keys(more).length ? pretty(more) : "",
  };
  const inputs = expected ? { ...config.inputs, format: "json" as const, text: JSON.stringify({ expected }, null, 2) } : config.inputs;
  return { ...config, variants: [variant], inputs };
}

const asText = (value: unknown) => (value === undefined || value === null ? "" : String(value));

function messagesOf(input: unknown): PromptMessage[] {
  const given = Array.isArray(input) ? input : isObject(input) && Array.isArray(input["messages"]) ? input["messages"] : null;
  if (!given?.length || !given.every(isObject)) return [{ role: "user", content: pretty(input) }];
  return given.map(messageOf);
}

function messageOf(given: Record<string, unknown>): PromptMessage {
  if (isObject(given["message"])) return messageOf(given["message"]);
  const { role, content, parts, ...rest } = given;
  const kept = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== null));
  const name = typeof role === "string" && role ? role : "user";
  const text = typeof content === "string" ? content : textOf(content ?? parts);
  if (text !== null && !Object.keys(kept).length) return { role: name, content: text };
  return { role: name, content: pretty({ content: content ?? parts ?? null, ...kept }), isJson: true };
}

/** The text of parts that are nothing but text; null for any others. */
function textOf(parts: unknown): string | null {
  if (!Array.isArray(parts) || !parts.length) return null;
  const texts = parts.map((part) => (typeof part === "string" ? part : isObject(part) && (part["type"] ?? "text") === "text" ? (part["text"] ?? part["content"]) : null));
  return texts.every((text) => typeof text === "string") ? texts.join("\n") : null;
}

/** The text that was answered then, to compare with. */
function answerOf(output: unknown): string {
  if (typeof output === "string") return output;
  const first = Array.isArray(output) ? output[0] : output;
  if (!isObject(first)) return "";
  const message = isObject(first["message"]) ? first["message"] : Array.isArray(first["choices"]) && isObject(first["choices"][0]) ? (first["choices"][0]["message"] as Record<string, unknown>) : first;
  const content = message?.["content"] ?? message?.["parts"];
  return typeof content === "string" ? content : (textOf(content) ?? "");
}
