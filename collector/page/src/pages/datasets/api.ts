// Datasets, their rows and versions, as the API has them.
import { ApiError, call } from "../../lib/api";

export interface Dataset {
  id: string;
  name: string;
  description: string;
  tags: string[];
  created: string;
  version: string;
  row_count: number;
  input_schema?: unknown;
  expected_schema?: unknown;
}

export interface Origin {
  object_type?: string;
  object_id?: string;
  id?: string;
}

export interface DatasetRow {
  id: string;
  input?: unknown;
  expected?: unknown;
  metadata?: Record<string, unknown>;
  tags?: string[];
  origin?: Origin;
  created?: string;
  version?: string;
}

export interface Version {
  version: string;
  created: string;
  operation: string;
  inserted: number;
  updated: number;
  deleted: number;
  key_id: string;
  snapshots: string[];
}

export interface Written {
  results: { id: string; error: string }[];
  inserted: number;
  updated: number;
  unchanged: number;
  rejected: number;
}

export interface RowDiff {
  id: string;
  change: "added" | "removed" | "changed";
  fields: string[];
  before?: DatasetRow;
  after?: DatasetRow;
}

export interface Diff {
  added: number;
  removed: number;
  changed: number;
  rows: RowDiff[];
}

const pathOf = (id: string, more = "") => `/v1/datasets/${encodeURIComponent(id)}${more}`;

export async function listDatasets(project: string, signal?: AbortSignal): Promise<Dataset[]> {
  return (await call<{ datasets: Dataset[] }>("GET", `/v1/datasets?${new URLSearchParams({ project })}`, undefined, signal)).datasets;
}

/** The dataset of this name, or of this id. */
export async function findDataset(project: string, named: string, signal: AbortSignal): Promise<Dataset | null> {
  const query = new URLSearchParams({ project, name: named });
  const { datasets } = await call<{ datasets: Dataset[] }>("GET", `/v1/datasets?${query}`, undefined, signal);
  if (datasets[0]) return datasets[0];
  try {
    return (await call<{ dataset: Dataset }>("GET", pathOf(named), undefined, signal)).dataset;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

export async function createDataset(project: string, name: string, description = ""): Promise<Dataset> {
  return (await call<{ dataset: Dataset }>("POST", "/v1/datasets", { project, name, description })).dataset;
}

export function updateDataset(id: string, changes: { name?: string; description?: string }): Promise<unknown> {
  return call("POST", pathOf(id), changes);
}

export function deleteDataset(id: string): Promise<unknown> {
  return call("DELETE", pathOf(id));
}

export interface RowPage {
  rows: DatasetRow[];
  next_cursor: string;
  version: string;
}

export function fetchRows(id: string, options: { version?: string; cursor?: string; limit?: number; id?: string }, signal?: AbortSignal): Promise<RowPage> {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(options)) if (value) query.set(name, String(value));
  return call("GET", pathOf(id, `/rows?${query}`), undefined, signal);
}

/** Writes rows; throws only when not one of them could be stored. */
export function writeRows(id: string, rows: DatasetRow[], options: { is_merge?: boolean; operation?: string } = {}, signal?: AbortSignal): Promise<Written> {
  return call("POST", pathOf(id, "/rows"), { rows, ...options }, signal);
}

export function deleteRows(id: string, ids: string[]): Promise<{ deleted: number }> {
  return call("POST", pathOf(id, "/rows/delete"), { ids });
}

export async function listVersions(id: string, signal: AbortSignal): Promise<Version[]> {
  return (await call<{ versions: Version[] }>("GET", pathOf(id, "/versions?limit=500"), undefined, signal)).versions;
}

export function diffVersions(id: string, from: string, to: string, signal: AbortSignal): Promise<Diff> {
  return call("GET", pathOf(id, `/diff?${new URLSearchParams({ from_version: from, to_version: to, limit: "200" })}`), undefined, signal);
}

export function restore(id: string, version: string, dryRun: boolean): Promise<{ rows_to_restore: number; rows_to_delete: number }> {
  return call("POST", pathOf(id, "/restore"), { version, dry_run: dryRun });
}

export function nameVersion(id: string, version: string, name: string): Promise<unknown> {
  return call("POST", pathOf(id, "/snapshots"), { version, name });
}

export function forgetName(id: string, name: string): Promise<unknown> {
  return call("DELETE", pathOf(id, `/snapshots/${encodeURIComponent(name)}`));
}
