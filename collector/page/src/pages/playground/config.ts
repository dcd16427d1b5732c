// What is tried out: variants of a prompt, inputs, scorers. It is in the address, so that it can be handed on, and in
// the tab's own storage; what came out is in neither.
import { effect, signal } from "@preact/signals";
import { place, setQuery } from "../../lib/router";

export interface PromptMessage {
  role: string;
  /** A text, or with `isJson` the JSON of everything but the role. */
  content: string;
  isJson?: boolean;
}

export interface Variant {
  id: string;
  endpoint: string;
  model: string;
  messages: PromptMessage[];
  temperature: string;
  maxTokens: string;
  /** Other parameters, as JSON. */
  more: string;
}

export type Format = "lines" | "text" | "json" | "csv";

export interface Inputs {
  kind: "pasted" | "dataset";
  text: string;
  format: Format;
  dataset: string;
  /** Empty for the newest. */
  version: string;
  limit: number;
}

export interface ScorerChoice {
  use: string;
  name: string;
  /** Keyword arguments, as JSON. */
  options: string;
}

export interface Config {
  variants: Variant[];
  inputs: Inputs;
  scorers: ScorerChoice[];
  /** How often each variant answers each input. */
  trials: number;
}

export const MAX_VARIANTS = 8;
export const MAX_TRIALS = 10;
export const MAX_ROWS = 200;
const MAX_ADDRESS = 12_000;
const WRITE_AFTER_MS = 300;
const STORE = "spanloop.playground.";

export const config = signal<Config>(defaultConfig());
/** False when there is too much for an address. */
export const isInAddress = signal(true);

export function defaultConfig(): Config {
  return { variants: [newVariant()], inputs: { kind: "pasted", text: "", format: "lines", dataset: "", version: "", limit: 20 }, scorers: [], trials: 1 };
}

export function newVariant(): Variant {
  const messages = [{ role: "system", content: "Answer in one short sentence." }, { role: "user", content: "{{input}}" }];
  return { id: newId(), endpoint: "", model: "", messages, temperature: "", maxTokens: "", more: "" };
}

export function newId(): string {
  return Math.random().toString(36).slice(2, 8);
}

export function change(changes: Partial<Config>): void {
  config.value = { ...config.value, ...changes };
}

export function changeVariant(id: string, changes: Partial<Variant>): void {
  change({ variants: config.value.variants.map((one) => (one.id === id ? { ...one, ...changes } : one)) });
}

/** A to H: what a variant is called. */
export function letter(at: number): string {
  return String.fromCharCode(65 + at);
}

/** Reads what the address says, else what the tab remembers, then keeps both as the configuration is. Returns an end to that. */
export function keepInStep(project: string): () => void {
  const name = STORE + project;
  let written = place.value.query.get("c");
  config.value = parse(written) ?? parse(sessionStorage.getItem(name)) ?? defaultConfig();
  let timer = 0;
  const write = (text: string) => {
    sessionStorage.setItem(name, text);
    isInAddress.value = encodeURIComponent(text).length <= MAX_ADDRESS;
    written = isInAddress.value ? text : null;
    setQuery({ c: written }, { replace: true });
  };
  const stopWriting = effect(() => {
    const text = JSON.stringify(config.value);
    clearTimeout(timer);
    timer = setTimeout(write, WRITE_AFTER_MS, text) as unknown as number;
  });
  // Somebody went back, or put another address in.
  const stopReading = effect(() => {
    const given = place.value.query.get("c");
    if (given === null || given === written) return;
    written = given;
    const read = parse(given);
    if (read) config.value = read;
  });
  return () => {
    clearTimeout(timer);
    stopWriting();
    stopReading();
    sessionStorage.setItem(name, JSON.stringify(config.peek()));
  };
}

type Fields = Record<string, unknown>;

/** A configuration from outside: whatever does not fit takes its default. */
function parse(given: string | null): Config | null {
  if (!given) return null;
  try {
    const { variants, inputs, scorers, trials } = JSON.parse(given) as Fields;
    const known = list(variants).slice(0, MAX_VARIANTS).map(readVariant);
    return { variants: known.length ? known : [newVariant()], inputs: readInputs(inputs), scorers: list(scorers).slice(0, 16).map(readScorer), trials: wholeWithin(trials, MAX_TRIALS, 1) };
  } catch {
    return null;
  }
}

function readVariant(given: Fields, at: number): Variant {
  const messages = list(given["messages"]).map((one) => ({ role: text(one["role"]) || "user", content: text(one["content"]), ...(one["isJson"] === true ? { isJson: true } : {}) }));
  return {
    id: /^\w{1,12}$/.test(text(given["id"])) ? text(given["id"]) : `v${at}`,
    endpoint: text(given["endpoint"]),
    model: text(given["model"]),
    messages: messages.length ? messages : newVariant().messages,
    temperature: text(given["temperature"]),
    maxTokens: text(given["maxTokens"]),
    more: text(given["more"]),
  };
}

function readInputs(value: unknown): Inputs {
  const given = (value ?? {}) as Fields;
  const format = text(given["format"]) as Format;
  return {
    kind: given["kind"] === "dataset" ? "dataset" : "pasted",
    text: text(given["text"]),
    format: ["lines", "text", "json", "csv"].includes(format) ? format : "lines",
    dataset: text(given["dataset"]),
    version: text(given["version"]),
    limit: wholeWithin(given["limit"], MAX_ROWS, 20),
  };
}

function readScorer(given: Fields): ScorerChoice {
  return { use: text(given["use"]), name: text(given["name"]), options: text(given["options"]) };
}

const list = (value: unknown) => (Array.isArray(value) ? value.filter((one): one is Fields => typeof one === "object" && one !== null) : []);
/** A whole number from 1 to `most`, or what is usual where it is none. */
export function wholeWithin(value: unknown, most: number, usual: number): number {
  const number = Math.round(Number(value));
  return number >= 1 && number <= most ? number : usual;
}

const text = (value: unknown) => (typeof value === "string" ? value : "");
