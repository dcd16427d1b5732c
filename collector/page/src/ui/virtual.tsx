// A list of any length of which only the visible rows are in the document.
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";

const EXTRA_ROWS = 12;

export interface VirtualProps {
  count: number;
  rowHeight: number;
  render: (index: number) => ComponentChildren;
  /** Stays above the rows while they scroll. */
  header?: ComponentChildren;
  /** Comes after the last row. */
  footer?: ComponentChildren;
  /** This row is scrolled into view whenever it changes. */
  shown?: number | undefined;
  onEnd?: () => void;
  label: string;
  role?: "grid" | "tree" | "list";
  columnCount?: number;
  class?: string;
}

export function Virtual(props: VirtualProps) {
  const { count, rowHeight, render } = props;
  const box = useRef<HTMLDivElement>(null);
  const head = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 800 });
  useLayoutEffect(() => {
    const element = box.current!;
    const measure = () => setView({ top: element.scrollTop, height: element.clientHeight });
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    element.addEventListener("scroll", measure, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", measure);
    };
  }, []);
  useLayoutEffect(() => scrollTo(box.current!, head.current?.offsetHeight ?? 0, props.shown, rowHeight), [props.shown, rowHeight]);
  const first = Math.max(0, Math.floor(view.top / rowHeight) - EXTRA_ROWS);
  const last = Math.min(count, Math.ceil((view.top + view.height) / rowHeight) + EXTRA_ROWS);
  const isAtEnd = count > 0 && last >= count;
  const { onEnd } = props;
  useLayoutEffect(() => {
    if (isAtEnd) onEnd?.();
  }, [isAtEnd, count]);
  const rows = [];
  for (let index = first; index < last; index++) rows.push(render(index));
  return (
    <div class={`virtual ${props.class ?? ""}`} ref={box} role={props.role ?? "list"} aria-label={props.label} aria-rowcount={props.role === "grid" ? count + 1 : undefined} aria-colcount={props.columnCount} tabIndex={0}>
      {props.header && <div class="virtual-head" role="rowgroup" ref={head}>{props.header}</div>}
      <div class="virtual-rows" role={props.role === "grid" ? "rowgroup" : "presentation"} style={{ height: `${count * rowHeight}px` }}>
        <div class="virtual-window" role="presentation" style={{ transform: `translateY(${first * rowHeight}px)` }}>
          {rows}
        </div>
      </div>
      {props.footer}
    </div>
  );
}

function scrollTo(box: HTMLElement, headHeight: number, row: number | undefined, rowHeight: number): void {
  if (row === undefined || row < 0) return;
  const top = row * rowHeight;
  const visible = box.clientHeight - headHeight;
  if (top < box.scrollTop) box.scrollTop = top;
  else if (top + rowHeight > box.scrollTop + visible) box.scrollTop = top + rowHeight - visible;
}
