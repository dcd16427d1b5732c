// Tree and timeline of a trace, side by side in one list.
import { useMemo, useState } from "preact/hooks";
import { axisDuration, counted, dollars, duration } from "../../lib/format";
import { useKey } from "../../lib/keys";
import { Icon, TypeIcon } from "../../ui/icons";
import { Virtual } from "../../ui/virtual";
import type { SpanLine } from "./load";
import { type Tree, type TreeNode, visibleNodes } from "./tree";

const ROW_HEIGHT = 27;
const INDENT = 13;
/** Deeper levels move in by little, so that their names keep some room. */
const FULL_LEVELS = 7;
const DEEP_INDENT = 3;
const MAX_LEVELS = 20;

interface Props {
  tree: Tree;
  selected: string;
  onSelect: (spanId: string) => void;
  search: string;
  onlyErrors: boolean;
}

export function Waterfall({ tree, selected, onSelect, search, onlyErrors }: Props) {
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const nodes = useMemo(() => visibleNodes(tree, closed, matcher(search, onlyErrors)), [tree, closed, search, onlyErrors]);
  const at = nodes.findIndex((node) => node.line.spanId === selected);
  const toggle = (id: string) => {
    const next = new Set(closed);
    if (!next.delete(id)) next.add(id);
    setClosed(next);
  };
  const move = (step: number) => {
    const next = nodes[Math.max(0, Math.min(nodes.length - 1, at + step))];
    if (next) onSelect(next.line.spanId);
  };
  useKey("J, ArrowDown", "Next span", () => move(1));
  useKey("K, ArrowUp", "Previous span", () => move(-1));
  useKey("ArrowLeft", "Close the span's children, or go to its parent", () => {
    const node = nodes[at];
    if (!node) return;
    if (node.children.length && !closed.has(selected)) toggle(selected);
    else if (tree.byId.has(node.line.parentId)) onSelect(node.line.parentId);
  });
  useKey("ArrowRight", "Open the span's children", () => (closed.has(selected) ? toggle(selected) : move(1)));
  useKey("e", "Next error", () => {
    const next = [...nodes.slice(at + 1), ...nodes.slice(0, at + 1)].find((node) => node.line.error);
    if (next) onSelect(next.line.spanId);
  });
  const isFlat = search !== "" || onlyErrors;
  return (
    <Virtual
      class="waterfall"
      role="tree"
      label="Spans of the trace"
      count={nodes.length}
      rowHeight={ROW_HEIGHT}
      shown={at >= 0 ? at : undefined}
      header={<Scale tree={tree} />}
      render={(index) => {
        const node = nodes[index]!;
        return <SpanRow key={node.line.spanId} node={node} tree={tree} isSelected={index === at} isClosed={closed.has(node.line.spanId)} isFlat={isFlat} onSelect={onSelect} onToggle={toggle} />;
      }}
    />
  );
}

function matcher(search: string, onlyErrors: boolean): ((line: SpanLine) => boolean) | null {
  if (!search && !onlyErrors) return null;
  const wanted = search.toLowerCase();
  return (line) => (!onlyErrors || line.error !== "") && `${line.name} ${line.type} ${line.model} ${line.error} ${line.spanId}`.toLowerCase().includes(wanted);
}

function indentOf(depth: number): number {
  return Math.min(depth, FULL_LEVELS) * INDENT + Math.max(0, Math.min(depth, MAX_LEVELS) - FULL_LEVELS) * DEEP_INDENT;
}

/** Behind its bar; before it where there is no room behind; inside of one that fills the line. */
function durationPlace(left: number, width: number) {
  if (left + width <= 75) return { left: `calc(${left + width}% + 5px)` };
  return left > 25 ? { right: `calc(${100 - left}% + 5px)` } : { left: `calc(${left}% + 6px)` };
}

function Scale({ tree }: { tree: Tree }) {
  const total = (tree.end - tree.start) / 1000;
  return (
    <div class="scale">
      <span class="scale-tree">Span</span>
      <span class="scale-time">{[0, 0.25, 0.5, 0.75].map((part) => <span key={part}>{axisDuration(total * part)}</span>)}</span>
    </div>
  );
}

interface RowProps {
  node: TreeNode;
  tree: Tree;
  isSelected: boolean;
  isClosed: boolean;
  isFlat: boolean;
  onSelect: (spanId: string) => void;
  onToggle: (spanId: string) => void;
}

function SpanRow({ node, tree, isSelected, isClosed, isFlat, onSelect, onToggle }: RowProps) {
  const { line } = node;
  const total = tree.end - tree.start;
  const left = ((line.start - tree.start) / total) * 100;
  const end = line.isRunning ? tree.end : line.end;
  const seconds = (end - line.start) / 1000;
  const width = ((end - line.start) / total) * 100;
  const classes = `span-row${isSelected ? " at" : ""}${line.error ? " failed" : ""}`;
  const indent = isFlat ? 0 : indentOf(node.depth);
  return (
    <div class={classes} role="treeitem" aria-level={node.depth + 1} aria-selected={isSelected} aria-expanded={node.children.length ? !isClosed : undefined} style={{ height: `${ROW_HEIGHT}px` }} onClick={() => onSelect(line.spanId)}>
      <div class="span-name" style={{ paddingLeft: `${indent + 4}px` }}>
        {node.children.length && !isFlat ? (
          <button type="button" class="span-toggle" tabIndex={-1} aria-label={isClosed ? `Open ${counted(node.size, "span")}` : "Close"} onClick={(event) => (event.stopPropagation(), onToggle(line.spanId))}>
            <Icon name={isClosed ? "right" : "down"} size={11} />
          </button>
        ) : (
          <span class="span-toggle" />
        )}
        <TypeIcon type={line.type} />
        <span class="ellipsis" title={line.name}>{line.name || "(no name)"}</span>
        {isClosed && <span class="hint">{node.size}</span>}
        {(line.error || (isClosed && node.hasErrorBelow)) && <Icon name="alert" size={12} label="error" />}
        {line.cost > 0 && <span class="span-cost">{dollars(line.cost)}</span>}
      </div>
      <div class="span-time">
        <span class={`span-bar type-${line.type}${line.isRunning ? " running-bar" : ""}`} style={{ left: `${left}%`, width: `max(2px, ${width}%)` }} />
        <span class={`span-duration${left + width > 75 && left <= 25 ? " inside" : ""}`} style={durationPlace(left, width)}>{line.isRunning ? `${duration(seconds)} …` : duration(seconds)}</span>
      </div>
    </div>
  );
}
