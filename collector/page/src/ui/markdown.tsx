// Markdown to elements, never to HTML text: whatever a model wrote stays text. Links leave only by a click, images
// from elsewhere are not loaded.
import type { ComponentChildren } from "preact";

const MAX_LENGTH = 200_000;

export function Markdown({ text }: { text: string }) {
  return <div class="markdown">{blocks(text.slice(0, MAX_LENGTH).replace(/\r\n?/g, "\n").split("\n"), 0)}</div>;
}

function blocks(lines: string[], depth: number): ComponentChildren[] {
  const found: ComponentChildren[] = [];
  let at = 0;
  while (at < lines.length) {
    const [block, next] = readBlock(lines, at, depth);
    if (block !== null) found.push(block);
    at = Math.max(next, at + 1);
  }
  return found;
}

const FENCE = /^\s{0,3}(```|~~~)(.*)$/;
const HEADING = /^(#{1,6})\s+(.*?)\s*#*$/;
const RULE = /^\s{0,3}([-*_])(\s*\1){2,}\s*$/;
const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/;
const TABLE_LINE = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;

function readBlock(lines: string[], at: number, depth: number): [ComponentChildren, number] {
  const line = lines[at]!;
  if (!line.trim()) return [null, at + 1];
  const fence = FENCE.exec(line);
  if (fence) return readFence(lines, at, fence[1]!);
  const heading = HEADING.exec(line);
  if (heading) return [<p class={`heading h${heading[1]!.length}`}>{inline(heading[2]!)}</p>, at + 1];
  if (RULE.test(line)) return [<hr />, at + 1];
  if (depth < 8 && /^\s{0,3}>/.test(line)) return readQuote(lines, at, depth);
  if (depth < 8 && ITEM.test(line)) return readList(lines, at, depth);
  if (line.includes("|") && TABLE_LINE.test(lines[at + 1] ?? "") && (lines[at + 1] ?? "").includes("-")) return readTable(lines, at);
  return readParagraph(lines, at);
}

function readFence(lines: string[], at: number, mark: string): [ComponentChildren, number] {
  let end = at + 1;
  while (end < lines.length && !lines[end]!.trimStart().startsWith(mark)) end++;
  return [<pre>{lines.slice(at + 1, end).join("\n")}</pre>, end + 1];
}

function readQuote(lines: string[], at: number, depth: number): [ComponentChildren, number] {
  let end = at;
  while (end < lines.length && /^\s{0,3}>/.test(lines[end]!)) end++;
  const inner = lines.slice(at, end).map((line) => line.replace(/^\s{0,3}> ?/, ""));
  return [<blockquote>{blocks(inner, depth + 1)}</blockquote>, end];
}

function readList(lines: string[], at: number, depth: number): [ComponentChildren, number] {
  const first = ITEM.exec(lines[at]!)!;
  const indent = first[1]!.length;
  const isOrdered = /\d/.test(first[2]!);
  const items: string[][] = [];
  let end = at;
  for (; end < lines.length; end++) {
    const line = lines[end]!;
    const item = ITEM.exec(line);
    if (item && item[1]!.length <= indent + 1) {
      if (/\d/.test(item[2]!) !== isOrdered || item[1]!.length < indent) break;
      items.push([item[3]!]);
    } else if (line.trim() && !/^\s/.test(line) && !item) break;
    else if (!line.trim() && !/^\s+\S/.test(lines[end + 1] ?? "") && !ITEM.test(lines[end + 1] ?? "")) break;
    else items.at(-1)!.push(line.slice(Math.min(indent + 2, line.search(/\S|$/))));
  }
  const children = items.map((item) => <li>{item.length === 1 ? inline(item[0]!) : blocks(item, depth + 1)}</li>);
  const start = Number.parseInt(first[2]!, 10);
  return [isOrdered ? <ol start={start}>{children}</ol> : <ul>{children}</ul>, end];
}

function readTable(lines: string[], at: number): [ComponentChildren, number] {
  let end = at + 2;
  while (end < lines.length && lines[end]!.includes("|")) end++;
  const cells = (line: string) => line.trim().replace(/^\||\|$/g, "").split("|").map((cell) => inline(cell.trim()));
  const table = (
    <div class="scroll-x">
      <table>
        <thead><tr>{cells(lines[at]!).map((cell) => <th>{cell}</th>)}</tr></thead>
        <tbody>{lines.slice(at + 2, end).map((line) => <tr>{cells(line).map((cell) => <td>{cell}</td>)}</tr>)}</tbody>
      </table>
    </div>
  );
  return [table, end];
}

function readParagraph(lines: string[], at: number): [ComponentChildren, number] {
  let end = at + 1;
  while (end < lines.length && lines[end]!.trim() && !FENCE.test(lines[end]!) && !HEADING.test(lines[end]!) && !ITEM.test(lines[end]!) && !/^\s{0,3}>/.test(lines[end]!)) end++;
  return [<p>{inline(lines.slice(at, end).join("\n"))}</p>, end];
}

// One alternative per kind; none of them can match in two ways, so the time is linear in the text.
const INLINE = /`([^`\n]+)`|\*\*([^*\n]+)\*\*|__([^_\n]+)__|\*([^*\s][^*\n]*)\*|~~([^~\n]+)~~|!?\[([^\]\n]{0,500})\]\(([^)\s]{1,2000})[^)\n]{0,200}\)|(https?:\/\/[^\s<>"')\]]{1,2000})/g;

function inline(text: string): ComponentChildren[] {
  const parts: ComponentChildren[] = [];
  let end = 0;
  for (const match of text.matchAll(INLINE)) {
    parts.push(text.slice(end, match.index));
    parts.push(inlinePart(match));
    end = match.index + match[0].length;
  }
  parts.push(text.slice(end));
  return parts;
}

function inlinePart(match: RegExpMatchArray): ComponentChildren {
  const [whole, code, bold, otherBold, italic, struck, label, target, address] = match;
  if (code !== undefined) return <code>{code}</code>;
  if (bold ?? otherBold) return <strong>{bold ?? otherBold}</strong>;
  if (italic !== undefined) return <em>{italic}</em>;
  if (struck !== undefined) return <s>{struck}</s>;
  return <OutsideLink address={target ?? address!} label={label ? (whole.startsWith("!") ? `image: ${label}` : label) : (address ?? target!)} />;
}

/** A link out of the page, for web addresses only; anything else stays text. */
export function OutsideLink({ address, label }: { address: string; label: string }) {
  if (!/^https?:\/\//i.test(address)) return <span title={address}>{label}</span>;
  return (
    <a href={address} target="_blank" rel="noopener noreferrer nofollow" title={address}>
      {label}
    </a>
  );
}
