// What is running and what came out: one cell for each variant and input. Gone with the tab, unless it is saved.
import { batch, computed, signal, type Signal } from "@preact/signals";
import { ApiError, isAbort } from "../../lib/api";
import { errorReason } from "../../lib/sql";
import { type RunAnswer, type RunEnd, type RunRequest, type RunScore, type RunScorer, run } from "./api";
import type { Config, ScorerChoice, Variant } from "./config";
import type { InputRow, InputRows } from "./inputs";

/** A browser keeps six connections to a host; one stays free for everything else. */
const AT_ONCE = 5;
const BUSY_MS = 1500;

export type Status = "waiting" | "running" | "done" | "failed" | "stopped";

export interface Cell {
  status: Status;
  text: string;
  /** Seconds since 1970 when the model was asked. */
  started: number;
  end?: RunEnd;
  scores: RunScore[];
  error: string;
  /** What was asked; compared with what would be asked now. */
  question: RunRequest;
  row: InputRow;
}

export const cells = signal<ReadonlyMap<string, Signal<Cell>>>(new Map());
/** Where the inputs of these cells are from. */
export const ranOver = signal<InputRows["dataset"]>(undefined);

/** Changes with a status, not with every word. */
const statuses = computed(() => [...cells.value.values()].map((cell) => cell.value.status).join(" "));

export const progress = computed(() => {
  const all = statuses.value.split(" ").filter(Boolean);
  const count = (...wanted: Status[]) => all.filter((status) => wanted.includes(status as Status)).length;
  return { total: all.length, open: count("waiting", "running"), done: count("done"), failed: count("failed"), stopped: count("stopped") };
});

const aborts = new Map<string, AbortController>();
let queue: string[] = [];

export const keyOf = (variant: string, at: number) => `${variant} ${at}`;

/** What the collector is asked for one cell; throws where something is no JSON. */
export function questionOf(variant: Variant, row: InputRow, scorers: ScorerChoice[]): RunRequest {
  const parameters: Record<string, unknown> = { ...readObject(variant.more, "Other parameters") };
  if (variant.temperature !== "") parameters["temperature"] = Number(variant.temperature);
  if (variant.maxTokens !== "") parameters["max_tokens"] = Number(variant.maxTokens);
  return {
    endpoint: variant.endpoint,
    model: variant.model.trim(),
    messages: variant.messages.map((message) => ({ role: message.role, ...(message.isJson ? readObject(message.content, "A message") : { content: message.content }) })),
    parameters,
    ...(row.input === undefined ? {} : { input: row.input }),
    ...(row.expected === undefined ? {} : { expected: row.expected }),
    ...(row.metadata === undefined ? {} : { metadata: row.metadata }),
    scorers: scorers.map(readScorer),
  };
}

function readScorer({ use, name, options }: ScorerChoice): RunScorer {
  const given = readObject(options, `The options of ${name || use}`);
  return Object.keys(given).length ? { use, name, options: given } : { use, name };
}

function readObject(text: string, what: string): Record<string, unknown> {
  if (!text.trim()) return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`${what}: ${(error as Error).message}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error(`${what}: a JSON object was expected, such as {"top_p": 0.9}.`);
  return value as Record<string, unknown>;
}

/** Whether the cell says what the configuration would say now. */
export function isCurrent(cell: Cell, variant: Variant, scorers: ScorerChoice[]): boolean {
  try {
    return JSON.stringify(questionOf(variant, cell.row, scorers)) === JSON.stringify(cell.question);
  } catch {
    return false;
  }
}

/** Forgets what was there and runs every variant over every row, as often as there are trials. */
export function runAll({ variants, scorers, trials }: Config, { rows, dataset }: InputRows): void {
  const made = new Map<string, Signal<Cell>>();
  const tried = rows.flatMap((row) => Array<InputRow>(trials).fill(row));
  tried.forEach((row, at) => variants.forEach((variant) => made.set(keyOf(variant.id, at), signal(newCell(questionOf(variant, row, scorers), row)))));
  stopAll();
  batch(() => {
    cells.value = made;
    ranOver.value = dataset;
  });
  queue = [...made.keys()];
  startNext();
}

export function runOne(variant: Variant, scorers: ScorerChoice[], at: number): void {
  const key = keyOf(variant.id, at);
  const cell = cells.value.get(key);
  if (!cell) return;
  stop(key);
  cell.value = newCell(questionOf(variant, cell.value.row, scorers), cell.value.row);
  queue.push(key);
  startNext();
}

export function stop(key: string): void {
  queue = queue.filter((one) => one !== key);
  aborts.get(key)?.abort();
  aborts.delete(key);
  const cell = cells.value.get(key);
  if (cell && (cell.value.status === "waiting" || cell.value.status === "running")) cell.value = { ...cell.value, status: "stopped" };
}

export function stopAll(): void {
  batch(() => [...cells.value.keys()].forEach(stop));
}

export function forgetAll(): void {
  stopAll();
  cells.value = new Map();
}

function newCell(question: RunRequest, row: InputRow): Cell {
  return { status: "waiting", text: "", started: 0, scores: [], error: "", question, row };
}

function startNext(): void {
  while (aborts.size < AT_ONCE && queue.length) {
    const key = queue.shift()!;
    const abort = new AbortController();
    aborts.set(key, abort);
    void work(cells.value.get(key)!, abort.signal).finally(() => {
      if (aborts.get(key) === abort) aborts.delete(key);
      startNext();
    });
  }
}

async function work(cell: Signal<Cell>, abort: AbortSignal): Promise<void> {
  const set = (changes: Partial<Cell>) => void (abort.aborted || (cell.value = { ...cell.value, ...changes }));
  set({ status: "running", started: Date.now() / 1000 });
  try {
    await run(cell.value.question, abort, (answer) => set(changesOf(cell.value, answer)));
    const { end } = cell.value;
    set(end ? { status: end.error ? "failed" : "done", error: end.error } : { status: "failed", error: "The collector broke off." });
  } catch (error) {
    if (isAbort(error) || abort.aborted) return;
    if (error instanceof ApiError && error.status === 503) {
      await new Promise((go) => setTimeout(go, BUSY_MS));
      return abort.aborted ? undefined : work(cell, abort);
    }
    set({ status: "failed", error: errorReason(error) });
  }
}

function changesOf(cell: Cell, answer: RunAnswer): Partial<Cell> {
  if (answer.end) return { end: answer.end };
  if (answer.score) return { scores: [...cell.scores, answer.score] };
  return { text: cell.text + answer.text };
}
