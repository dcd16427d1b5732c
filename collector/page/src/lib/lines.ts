// Answers that come as lines of JSON, each as soon as it is whole.
import { request } from "./api";

/** Sends the body and hands over what the answer's lines say; rejects when the answer breaks off. */
export async function readLines<T>(path: string, body: unknown, signal: AbortSignal, take: (line: T) => void): Promise<void> {
  const answer = await request(path, { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" }, signal });
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    const lines = (rest + (value ?? "")).split("\n");
    rest = done ? "" : lines.pop()!;
    for (const line of lines) if (line) take(JSON.parse(line) as T);
    if (done) return;
  }
}
