// What changed between two texts, word by word.

export interface Part {
  kind: "same" | "added" | "removed";
  text: string;
}

/** Longer texts are compared line by line: the table of the comparison grows with the square of the words. */
const MAX_TABLE = 4_000_000;

export function diffTexts(before: string, after: string): Part[] {
  if (before === after) return before ? [{ kind: "same", text: before }] : [];
  const [old, now] = [words(before), words(after)];
  if (old.length * now.length <= MAX_TABLE) return readable(compare(old, now));
  const [oldLines, nowLines] = [lines(before), lines(after)];
  if (oldLines.length * nowLines.length <= MAX_TABLE) return compare(oldLines, nowLines);
  return [{ kind: "removed", text: before }, { kind: "added", text: after }];
}

const words = (text: string) => text.match(/\s+|[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu) ?? [];
const lines = (text: string) => text.match(/[^\n]*\n|[^\n]+$/g) ?? [];

function compare(old: string[], now: string[]): Part[] {
  let start = 0;
  while (start < old.length && start < now.length && old[start] === now[start]) start += 1;
  let end = 0;
  while (end < old.length - start && end < now.length - start && old[old.length - 1 - end] === now[now.length - 1 - end]) end += 1;
  const parts: Part[] = [];
  add(parts, "same", old.slice(0, start).join(""));
  middle(parts, old.slice(start, old.length - end), now.slice(start, now.length - end));
  add(parts, "same", old.slice(old.length - end).join(""));
  return parts;
}

/** The longest common subsequence, from a table of its lengths. */
function middle(parts: Part[], old: string[], now: string[]): void {
  const width = now.length + 1;
  const lengths = new Uint16Array((old.length + 1) * width);
  for (let i = old.length - 1; i >= 0; i--) {
    for (let j = now.length - 1; j >= 0; j--) {
      lengths[i * width + j] = old[i] === now[j] ? lengths[(i + 1) * width + j + 1]! + 1 : Math.max(lengths[(i + 1) * width + j]!, lengths[i * width + j + 1]!);
    }
  }
  let [i, j] = [0, 0];
  while (i < old.length || j < now.length) {
    if (i < old.length && j < now.length && old[i] === now[j]) {
      add(parts, "same", old[i++]!);
      j += 1;
    } else if (j >= now.length || (i < old.length && lengths[(i + 1) * width + j]! >= lengths[i * width + j + 1]!)) add(parts, "removed", old[i++]!);
    else add(parts, "added", now[j++]!);
  }
}

/** A word or two that two changes have between them by chance only tear them apart. */
const TOO_SHORT = 6;

/** Changes that stand close become one: first what was taken away, then what came instead. */
function readable(parts: Part[]): Part[] {
  const found: Part[] = [];
  let [removed, added] = ["", ""];
  const close = () => {
    add(found, "removed", removed);
    add(found, "added", added);
    [removed, added] = ["", ""];
  };
  parts.forEach((part, at) => {
    const isTorn = part.kind === "same" && part.text.length < TOO_SHORT && (removed || added) && at + 1 < parts.length;
    if (part.kind === "removed" || isTorn) removed += part.text;
    if (part.kind === "added" || isTorn) added += part.text;
    if (part.kind === "same" && !isTorn) {
      close();
      add(found, "same", part.text);
    }
  });
  close();
  return found;
}

function add(parts: Part[], kind: Part["kind"], text: string): void {
  if (!text) return;
  const last = parts.at(-1);
  if (last?.kind === kind) last.text += text;
  else parts.push({ kind, text });
}
