// The tree of a trace's spans.
import type { SpanLine } from "./load";

export interface TreeNode {
  line: SpanLine;
  children: TreeNode[];
  depth: number;
  /** Spans below this one. */
  size: number;
  /** True when a span below it failed. */
  hasErrorBelow: boolean;
}

export interface Tree {
  roots: TreeNode[];
  byId: Map<string, TreeNode>;
  start: number;
  end: number;
}

/** Spans whose parent is not there (yet) stand beside the root. */
export function buildTree(lines: SpanLine[]): Tree {
  const byId = new Map(lines.map((line) => [line.spanId, { line, children: [], depth: 0, size: 0, hasErrorBelow: false } as TreeNode]));
  const roots: TreeNode[] = [];
  for (const node of byId.values()) {
    const parent = byId.get(node.line.parentId);
    (parent && parent !== node ? parent.children : roots).push(node);
  }
  // Parents that form a circle hang on no root: the first of them becomes one.
  const order = walk(roots);
  const seen = new Set(order);
  for (const node of byId.values()) {
    if (seen.has(node)) continue;
    const parent = byId.get(node.line.parentId)!;
    parent.children = parent.children.filter((child) => child !== node);
    roots.push(node);
    for (const below of walk([node])) {
      seen.add(below);
      order.push(below);
    }
  }
  measure(order);
  let start = Number.POSITIVE_INFINITY;
  let end = 0;
  for (const line of lines) {
    start = Math.min(start, line.start);
    end = Math.max(end, line.end, line.isRunning ? Math.min(Date.now(), line.start + 86_400_000) : 0);
  }
  return { roots, byId, start, end: Math.max(end, start + 0.001) };
}

/** Every node below these, parents first. */
function walk(roots: TreeNode[]): TreeNode[] {
  const order: TreeNode[] = [];
  const stack = roots.toReversed();
  while (stack.length) {
    const node = stack.pop()!;
    order.push(node);
    for (let at = node.children.length - 1; at >= 0; at--) {
      node.children[at]!.depth = node.depth + 1;
      stack.push(node.children[at]!);
    }
  }
  return order;
}

function measure(order: TreeNode[]): void {
  for (const node of order.toReversed()) {
    for (const child of node.children) {
      node.size += child.size + 1;
      node.hasErrorBelow ||= child.hasErrorBelow || child.line.error !== "";
    }
  }
}

/** The nodes in the order in which they are shown; what is below a closed one is left out. */
export function visibleNodes(tree: Tree, closed: ReadonlySet<string>, matches: ((line: SpanLine) => boolean) | null): TreeNode[] {
  const order: TreeNode[] = [];
  const stack = tree.roots.toReversed();
  while (stack.length) {
    const node = stack.pop()!;
    if (!matches || matches(node.line)) order.push(node);
    if (closed.has(node.line.spanId) && !matches) continue;
    for (let at = node.children.length - 1; at >= 0; at--) stack.push(node.children[at]!);
  }
  return order;
}
