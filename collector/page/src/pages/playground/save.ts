// What was found becomes experiments: one for each variant, its rows as those of an eval, through the same operations.
import { call } from "../../lib/api";
import type { RunScore } from "./api";
import type { InputRows } from "./inputs";
import type { Cell } from "./runs";

const CASES_A_REQUEST = 100;

export interface Column {
  letter: string;
  cells: Cell[];
}

interface Experiment {
  id: string;
  name: string;
}

/** Writes the experiments; all but the first are compared with the first. Returns their names. */
export async function saveAll(project: string, name: string, columns: Column[], dataset: InputRows["dataset"]): Promise<string[]> {
  const saved: Experiment[] = [];
  for (const column of columns) {
    const named = columns.length > 1 ? `${name} ${column.letter}` : name;
    saved.push(await save(project, named, column, dataset, saved[0]?.id ?? ""));
  }
  return saved.map((one) => one.name);
}

async function save(project: string, name: string, { cells }: Column, dataset: InputRows["dataset"], base: string): Promise<Experiment> {
  const { endpoint, model, messages, parameters } = cells[0]!.question;
  const { experiment } = await call<{ experiment: Experiment }>("POST", "/v1/experiments", {
    project,
    name,
    base,
    tags: ["playground"],
    metadata: { model, endpoint, parameters, prompt: messages },
    ...(dataset ? { dataset_id: dataset.id, dataset_version: dataset.version } : {}),
  });
  for (let at = 0; at < cells.length; at += CASES_A_REQUEST) {
    const rows = cells.slice(at, at + CASES_A_REQUEST).flatMap((cell) => rowsOf(cell, experiment.id));
    const { rejected, results } = await call<{ rejected: number; results: { error: string }[] }>("POST", "/v1/rows", { project, rows });
    if (rejected) throw new Error(results.find((one) => one.error)?.error);
  }
  await call("POST", `/v1/experiments/${encodeURIComponent(experiment.id)}/finish`, { project });
  return experiment;
}

/** The case, the call of the model below it, and a row for each scorer with its reason. */
function rowsOf(cell: Cell, experiment: string): unknown[] {
  const end = cell.end!;
  const ids = { trace_id: hex(16), experiment_id: experiment };
  const times = { start: cell.started, end: cell.started + end.duration };
  const root = hex(8);
  const { row, question } = cell;
  const scored = cell.scores.filter((one) => one.score !== undefined);
  const failed = cell.scores.filter((one) => one.error);
  const failures = failed.length ? { scorer_errors: Object.fromEntries(failed.map((one) => [one.name, one.error])) } : {};
  const spent = known({ prompt_tokens: end.prompt_tokens, completion_tokens: end.completion_tokens, prompt_cached_tokens: end.cached_tokens, cost: end.cost, time_to_first_token: end.time_to_first_token });
  const request = { ...(question.parameters as Record<string, unknown>), model: end.model, provider: question.endpoint };
  return [
    known({
      ...ids,
      span_id: root,
      name: "eval",
      type: "eval",
      input: row.input ?? end.messages,
      output: end.output,
      expected: row.expected,
      error: end.error || undefined,
      scores: Object.fromEntries(scored.map((one) => [one.name, one.score])),
      metrics: { ...times, task_duration: end.duration, ...known({ time_to_first_token: end.time_to_first_token }) },
      metadata: { ...row.metadata, ...failures },
      origin: row.origin,
    }),
    known({ ...ids, span_id: hex(8), parent_id: root, name: `chat ${end.model}`, type: "llm", input: end.messages, output: end.reply, error: end.error || undefined, metrics: { ...times, ...spent }, metadata: request }),
    ...cell.scores.map((one) => scoreRow(one, { ...ids, span_id: hex(8), parent_id: root }, times.end)),
  ];
}

function scoreRow(one: RunScore, ids: object, at: number): unknown {
  return known({
    ...ids,
    name: one.name,
    type: "score",
    output: one.reason ? { score: one.score ?? null, reason: one.reason } : one.score,
    error: one.error || undefined,
    scores: one.score === undefined ? undefined : { [one.name]: one.score },
    metrics: { start: at, end: at },
    metadata: { "spanloop.purpose": "scorer" },
  });
}

function known<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>;
}

function hex(bytes: number): string {
  return [...crypto.getRandomValues(new Uint8Array(bytes))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
