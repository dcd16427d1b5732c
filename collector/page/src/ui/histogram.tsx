// How many rows there are over time; drag over a part, or walk there with the arrow keys, to look at that part.
import { useState } from "preact/hooks";
import { axisTime, counted, moment } from "../lib/format";
import { useWidth } from "./charts";
import { walked } from "./walk";

export interface Bucket {
  at: number;
  count: number;
  errors: number;
}

interface Props {
  from: number;
  to: number;
  bucket: number;
  buckets: Bucket[];
  isLoading: boolean;
  onRange: (from: number, to: number) => void;
}

const HEIGHT = 52;
const AXIS = 15;

export function Histogram({ from, to, bucket, buckets, isLoading, onRange }: Props) {
  const [box, width] = useWidth<HTMLDivElement>();
  const [drag, setDrag] = useState<{ start: number; end: number } | null>(null);
  const [over, setOver] = useState<Bucket | null>(null);
  /** Where the keyboard is among the buckets, and where it began to choose. */
  const [walk, setWalk] = useState<{ at: number; from: number } | null>(null);
  const most = Math.max(1, ...buckets.map((one) => one.count));
  const x = (ms: number) => ((ms - from) / (to - from)) * width;
  const timeAt = (event: PointerEvent) => {
    const left = (event.currentTarget as Element).getBoundingClientRect().left;
    return from + (Math.max(0, Math.min(width, event.clientX - left)) / width) * (to - from);
  };
  const start = (event: PointerEvent) => {
    (event.currentTarget as Element).setPointerCapture(event.pointerId);
    setDrag({ start: timeAt(event), end: timeAt(event) });
  };
  const move = (event: PointerEvent) => {
    const at = timeAt(event);
    setOver(buckets.find((one) => at >= one.at && at < one.at + bucket) ?? null);
    if (drag) setDrag({ ...drag, end: at });
  };
  const end = () => {
    if (!drag) return;
    const [low, high] = [Math.min(drag.start, drag.end), Math.max(drag.start, drag.end)];
    setDrag(null);
    if (x(high) - x(low) > 4) onRange(low, high);
    else if (over) onRange(over.at, over.at + bucket);
  };
  const chosen = walk && buckets.slice(Math.min(walk.at, walk.from), Math.max(walk.at, walk.from) + 1);
  const keyboard = walked({
    label: `${counted(total(buckets), "row")} over time. Arrow keys walk along it, with Shift they choose a part, Enter looks at it.`,
    count: buckets.length,
    at: walk && walk.at,
    words: chosen?.length ? `${moment(chosen[0]!.at)}${chosen.length > 1 ? ` to ${moment(chosen.at(-1)!.at + bucket)}` : ""}: ${rowsIn(chosen)}` : "",
    onStep: (at, isLonger) => (setWalk({ at, from: isLonger && walk ? walk.from : at }), setOver(buckets[at]!)),
    onPick: () => chosen?.length && (onRange(chosen[0]!.at, chosen.at(-1)!.at + bucket), setWalk(null)),
    onLeave: () => (setWalk(null), setOver(null)),
  });
  const selection = drag ?? (chosen?.length ? { start: chosen[0]!.at, end: chosen.at(-1)!.at + bucket } : null);
  const bar = Math.max(1, x(from + bucket) - 1);
  const scale = (value: number) => (value / most) * (HEIGHT - AXIS - 2);
  return (
    <div class={`histogram${isLoading ? " loading" : ""}`} ref={box}>
      {width > 0 && (
        <svg width={width} height={HEIGHT} {...keyboard} onPointerDown={start} onPointerMove={move} onPointerUp={end} onPointerLeave={() => setOver(null)}>
          {buckets.map((one) => (
            <g key={one.at}>
              <rect class="bar" x={x(one.at)} width={bar} y={HEIGHT - AXIS - Math.max(1, scale(one.count))} height={Math.max(1, scale(one.count))} />
              {one.errors > 0 && <rect class="bar errors" x={x(one.at)} width={bar} y={HEIGHT - AXIS - Math.max(1, scale(one.errors))} height={Math.max(1, scale(one.errors))} />}
            </g>
          ))}
          <line class="grid-line" x1={0} x2={width} y1={HEIGHT - AXIS + 0.5} y2={HEIGHT - AXIS + 0.5} />
          {axis(from, to, width).map((at) => (
            <text key={at} class="axis" x={x(at)} y={HEIGHT - 3} text-anchor="middle">{axisTime(at, to - from)}</text>
          ))}
          {selection && <rect class="selection" x={Math.min(x(selection.start), x(selection.end))} width={Math.abs(x(selection.end) - x(selection.start))} y={0} height={HEIGHT - AXIS} />}
        </svg>
      )}
      {over && !drag && (
        <div class="tip" style={x(over.at) > width / 2 ? { right: `${width - x(over.at) + 6}px` } : { left: `${x(over.at + bucket) + 6}px` }}>
          <span class="hint">{moment(over.at)}</span> {counted(over.count, "row")}{over.errors > 0 && <span class="bad">, {counted(over.errors, "error")}</span>}
        </div>
      )}
    </div>
  );
}

function total(buckets: Bucket[]): number {
  return buckets.reduce((sum, one) => sum + one.count, 0);
}

function rowsIn(buckets: Bucket[]): string {
  const errors = buckets.reduce((sum, one) => sum + one.errors, 0);
  return `${counted(total(buckets), "row")}${errors ? `, ${counted(errors, "error")}` : ""}`;
}

function axis(from: number, to: number, width: number): number[] {
  const count = Math.max(1, Math.floor(width / 130));
  return Array.from({ length: count }, (_, at) => from + ((at + 0.5) / count) * (to - from));
}
