// The collector's public API. Every request of the page goes through `request`.
import { isLockedOut, key, signOut } from "./session";

/** What the collector refused, in its words. */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly code = "",
    readonly field = "",
  ) {
    super(message);
  }
}

export async function request(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  if (key.value) headers.set("authorization", `Bearer ${key.value}`);
  const answer = await send(path, { ...init, headers });
  if (answer.ok) return answer;
  const error = await readError(answer);
  if (answer.status === 401 && !isLockedOut.value) signOut(key.value ? error.message : "");
  throw error;
}

async function send(path: string, init: RequestInit): Promise<Response> {
  try {
    // Without this the browser would ask for a user and password itself when a key is missing.
    return await fetch(path, { ...init, credentials: "omit" });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError("The collector does not answer. Is `spanloop serve` running?", 0, "UNREACHABLE");
  }
}

async function readError(answer: Response): Promise<ApiError> {
  const text = await answer.text();
  try {
    const { error } = JSON.parse(text);
    return new ApiError(error.message, answer.status, error.code, error.field);
  } catch {
    const code = answer.headers.get("x-clickhouse-exception-code") ?? "";
    const message = text.replace(/^Code: \d+\. DB::Exception: /, "").trim();
    return new ApiError(message || `The collector answered ${answer.status}.`, answer.status, code);
  }
}

type Verb = "GET" | "POST" | "DELETE";

/** One operation of the API, JSON in and out. */
export async function call<T>(verb: Verb, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const init: RequestInit = { method: verb };
  if (signal) init.signal = signal;
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { "content-type": "application/json" };
  }
  return (await (await request(path, init)).json()) as T;
}

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}
