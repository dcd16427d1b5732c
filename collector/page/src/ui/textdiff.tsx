// A text with what was taken from it and what was added.
import { useMemo } from "preact/hooks";
import { diffTexts } from "../lib/textdiff";

export function TextDiff({ before, after }: { before: string; after: string }) {
  const parts = useMemo(() => diffTexts(before, after), [before, after]);
  return (
    <span class="text-diff">
      {parts.map((part, at) => (part.kind === "same" ? part.text : part.kind === "added" ? <ins key={at}>{part.text}</ins> : <del key={at}>{part.text}</del>))}
    </span>
  );
}
