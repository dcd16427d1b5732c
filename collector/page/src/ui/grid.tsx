// A table of any length: columns that can be resized, rows that can be walked with the keyboard.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { useKey } from "../lib/keys";
import { Virtual } from "./virtual";

export interface GridColumn<Row> {
  id: string;
  title: ComponentChildren;
  /** Pixels; 0 shares what is left. */
  width: number;
  align?: "right";
  /** What does not fit fades out, rather than being cut. */
  hasChips?: boolean;
  cell: (row: Row, index: number) => ComponentChildren;
  isPinned?: boolean;
}

export interface GridProps<Row> {
  label: string;
  columns: GridColumn<Row>[];
  rows: Row[];
  rowHeight: number;
  keyOf: (row: Row, index: number) => string;
  /** The row that is open. */
  openKey?: string | undefined;
  onOpen?: ((row: Row, index: number) => void) | undefined;
  selected?: ReadonlySet<string>;
  onSelect?: (row: Row, index: number, isRange: boolean) => void;
  onResize?: (id: string, width: number) => void;
  onEnd?: () => void;
  footer?: ComponentChildren;
  rowClass?: (row: Row) => string;
}

export function Grid<Row>(props: GridProps<Row>) {
  const { rows, columns } = props;
  const [cursor, setCursor] = useState(-1);
  const openAt = props.openKey === undefined ? -1 : rows.findIndex((row, at) => props.keyOf(row, at) === props.openKey);
  const at = openAt >= 0 ? openAt : cursor;
  const move = (step: number) => {
    const next = Math.max(0, Math.min(rows.length - 1, at + step));
    setCursor(next);
    if (openAt >= 0 && rows[next]) props.onOpen?.(rows[next], next);
  };
  const isLive = rows.length > 0;
  useKey("j, ArrowDown", "Next row", () => move(1), isLive);
  useKey("k, ArrowUp", "Previous row", () => move(-1), isLive);
  useKey("Enter, o", "Open row", () => rows[at] && props.onOpen?.(rows[at], at), isLive && props.onOpen !== undefined);
  useKey("x", "Select row", () => rows[at] && props.onSelect?.(rows[at], at, false), isLive && props.onSelect !== undefined);
  const template = columns.map((column) => (column.width ? `${column.width}px` : "minmax(160px, 1fr)")).join(" ");
  const least = columns.reduce((sum, column) => sum + (column.width || 160), 0);
  const style = { gridTemplateColumns: template, minWidth: `${least}px` };
  const pins = pinOffsets(columns);
  const renderRow = (index: number) => {
    const row = rows[index]!;
    const key = props.keyOf(row, index);
    const isSelected = props.selected?.has(key) ?? false;
    const classes = ["row", index === at ? "at" : "", key === props.openKey ? "open" : "", isSelected ? "selected" : "", props.rowClass?.(row) ?? ""];
    const click = (event: MouseEvent) => {
      if ((event.target as Element).closest("button, a, input")) return;
      setCursor(index);
      props.onOpen?.(row, index);
    };
    return (
      <div key={key} class={classes.join(" ")} role="row" aria-rowindex={index + 2} aria-selected={isSelected || index === at} style={{ ...style, height: `${props.rowHeight}px` }} onClick={click}>
        {columns.map((column) => (
          <div key={column.id} class={cellClass(column)} role="gridcell" style={pins.has(column.id) ? { left: `${pins.get(column.id)}px` } : undefined}>
            {column.cell(row, index)}
          </div>
        ))}
      </div>
    );
  };
  const header = (
    <div class="row head" role="row" aria-rowindex={1} style={style}>
      {columns.map((column) => (
        <div key={column.id} class={cellClass(column)} role="columnheader" style={pins.has(column.id) ? { left: `${pins.get(column.id)}px` } : undefined}>
          {column.title}
          {props.onResize && <Resizer onResize={(width) => props.onResize!(column.id, width)} />}
        </div>
      ))}
    </div>
  );
  return (
    <Virtual
      class="grid"
      role="grid"
      label={props.label}
      count={rows.length}
      columnCount={columns.length}
      rowHeight={props.rowHeight}
      render={renderRow}
      header={header}
      footer={props.footer}
      shown={at >= 0 ? at : undefined}
      {...(props.onEnd ? { onEnd: props.onEnd } : {})}
    />
  );
}

function cellClass<Row>(column: GridColumn<Row>): string {
  return `cell${column.align === "right" ? " right" : ""}${column.isPinned ? " pinned" : ""}${column.hasChips ? " chips" : ""}`;
}

function pinOffsets<Row>(columns: GridColumn<Row>[]): Map<string, number> {
  const offsets = new Map<string, number>();
  let left = 0;
  for (const column of columns) {
    if (!column.isPinned) continue;
    offsets.set(column.id, left);
    left += column.width;
  }
  return offsets;
}

function Resizer({ onResize }: { onResize: (width: number) => void }) {
  const start = (event: PointerEvent) => {
    event.preventDefault();
    event.stopPropagation();
    const handle = event.currentTarget as HTMLElement;
    const from = handle.parentElement!.getBoundingClientRect().left;
    handle.setPointerCapture(event.pointerId);
    handle.onpointermove = (moved) => onResize(Math.max(48, Math.round(moved.clientX - from)));
    handle.onpointerup = () => (handle.onpointermove = handle.onpointerup = null);
  };
  return <span class="resizer" role="presentation" onPointerDown={start} />;
}
