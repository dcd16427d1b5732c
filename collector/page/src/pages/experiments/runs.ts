// What the list says about each experiment: the means over its cases, in two statements.
import { askRows, text } from "../../lib/sql";

export interface Run {
  id: string;
  name: string;
  created: string;
  dataset: string;
  branch: string;
  commit: string;
  metadata: Record<string, string>;
  trials: number;
  errors: number;
  duration: number;
  cost: number;
  scores: Record<string, number>;
}

const MAX_RUNS = 500;

export async function loadRuns(project: string, signal: AbortSignal): Promise<Run[]> {
  const mine = `project = ${text(project)}`;
  const names = `SELECT e.id AS id, e.name AS name, e.created AS created, d.name AS dataset, JSONExtractString(e.repo_info, 'branch') AS branch, e.commit AS commit, e.metadata AS metadata FROM experiments AS e LEFT JOIN datasets AS d ON d.id = e.dataset_id WHERE e.${mine} ORDER BY e.created DESC LIMIT ${MAX_RUNS}`;
  const means = `SELECT experiment_id AS id, countIf(parent_id = '') AS trials, countIf(parent_id = '' AND error != '') AS errors, avgIf(duration, parent_id = '') AS duration, sum(cost) AS cost, avgMapIf(CAST(scores, 'Map(String, Float64)'), parent_id = '') AS scores FROM eval_rows WHERE ${mine} GROUP BY experiment_id`;
  const [runs, found] = await Promise.all([
    askRows<Omit<Run, "trials" | "errors" | "duration" | "cost" | "scores">>(names, { signal }),
    askRows<Pick<Run, "id" | "trials" | "errors" | "duration" | "cost" | "scores">>(means, { signal }),
  ]);
  const byId = new Map(found.map((row) => [row.id, row]));
  return runs.map((run) => ({ trials: 0, errors: 0, duration: Number.NaN, cost: 0, scores: {}, ...byId.get(run.id), ...run }));
}
