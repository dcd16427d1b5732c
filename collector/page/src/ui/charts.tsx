// Charts in SVG: lines with bands, bars; one crosshair, click or Enter to look behind a point.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { axisDuration, axisTime, moment } from "../lib/format";
import { walked } from "./walk";

export interface Series {
  /** Empty for the rows that have no such value. */
  name: string;
  /** One value for each x; null leaves a gap. */
  values: (number | null)[];
  low?: (number | null)[];
  high?: (number | null)[];
}

interface ChartProps {
  title: string;
  /** Start of each bucket in milliseconds. */
  times: number[];
  bucket: number;
  series: Series[];
  format: (value: number) => string;
  /** Values are seconds. */
  isDuration?: boolean;
  kind?: "line" | "bar";
  height?: number;
  max?: number;
  /** What is bad is drawn so. */
  isBad?: boolean;
  onPick?: (from: number, to: number, series: Series) => void;
}

export const COLOURS = 8;
const LEFT = 46;
const BOTTOM = 18;
const TOP = 8;

/** The width of an element, kept up to date. */
export function useWidth<T extends HTMLElement>() {
  const element = useRef<T>(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(entry!.contentRect.width));
    observer.observe(element.current!);
    return () => observer.disconnect();
  }, []);
  return [element, width] as const;
}

export function TimeChart(props: ChartProps) {
  const [box, width] = useWidth<HTMLDivElement>();
  const [at, setAt] = useState<number | null>(null);
  /** The line that the keyboard is on; -1 with the mouse, which is near one. */
  const [line, setLine] = useState(-1);
  const height = props.height ?? 150;
  const { times, series } = props;
  const top = props.max ?? (props.isDuration ? niceDuration(largest(props)) : niceMax(largest(props), props.kind === "bar"));
  const onAxis = props.isDuration ? axisDuration : props.format;
  const x = (index: number) => LEFT + ((index + 0.5) / Math.max(1, times.length)) * (width - LEFT - 4);
  const y = (value: number) => TOP + (1 - value / top) * (height - TOP - BOTTOM);
  const move = (event: MouseEvent) => {
    const left = (event.currentTarget as Element).getBoundingClientRect().left;
    const index = Math.floor(((event.clientX - left - LEFT) / (width - LEFT - 4)) * times.length);
    setAt(index >= 0 && index < times.length ? index : null);
    setLine(-1);
  };
  const pick = (event: MouseEvent) => {
    if (at === null || !props.onPick) return;
    const box = (event.currentTarget as Element).getBoundingClientRect();
    props.onPick(times[at]!, times[at]! + props.bucket, under(props, at, event.clientY - box.top, y));
  };
  const chosen = series[Math.max(0, line)];
  const keyboard = walked({
    label: `${describe(props)}. Arrow keys walk along it${props.onPick ? ", Enter opens the rows" : ""}.`,
    count: times.length,
    at,
    words: at === null || !chosen ? "" : `${moment(times[at]!)}, ${nameOf(chosen)}: ${words(chosen.values[at], props.format)}`,
    onStep: (next) => (setAt(next), setLine(Math.max(0, line))),
    onLine: series.length > 1 ? (step) => setLine((Math.max(0, line) + step + series.length) % series.length) : undefined,
    onPick: props.onPick && chosen && (() => props.onPick!(times[at!]!, times[at!]! + props.bucket, chosen)),
    onLeave: () => setAt(null),
  });
  const span = times.length ? times.at(-1)! - times[0]! + props.bucket : 0;
  return (
    <div class="chart" ref={box}>
      {width > 0 && (
        <svg width={width} height={height} {...keyboard} class={`${props.onPick ? "pickable" : ""}${props.isBad && series.length === 1 ? " is-bad" : ""}`} onMouseMove={move} onMouseLeave={() => setAt(null)} onClick={pick}>
          {[0, 0.5, 1].map((part) => (
            <g key={part}>
              <line class="grid-line" x1={LEFT} x2={width - 4} y1={y(part * top)} y2={y(part * top)} />
              <text class="axis" x={LEFT - 6} y={y(part * top) + 3.5} text-anchor="end">{onAxis(part * top)}</text>
            </g>
          ))}
          {ticks(times, width).map((index) => (
            <text key={index} class="axis" x={x(index)} y={height - 4} text-anchor="middle">{axisTime(times[index]!, span)}</text>
          ))}
          {props.kind === "bar" ? <Bars {...props} x={x} y={y} width={width} /> : <Lines {...props} x={x} y={y} />}
          {at !== null && <line class="crosshair" x1={x(at)} x2={x(at)} y1={TOP} y2={height - BOTTOM} />}
        </svg>
      )}
      {at !== null && <Tip {...props} at={at} line={line} left={x(at)} width={width} />}
    </div>
  );
}

interface Drawing extends ChartProps {
  x: (index: number) => number;
  y: (value: number) => number;
}

function Lines({ series, x, y }: Drawing) {
  return (
    <>
      {series.map((one, number) => (
        <g key={one.name} class={`series c${number % COLOURS}`}>
          {one.low && one.high && <path class="band" d={bandPath(one.low, one.high, x, y)} />}
          <path class="line" d={linePath(one.values, x, y)} />
          {one.values.map((value, at) => (value !== null && isAlone(one.values, at) ? <circle key={at} cx={x(at)} cy={y(value)} r={2} /> : null))}
        </g>
      ))}
    </>
  );
}

function Bars({ series, times, x, y, width }: Drawing & { width: number }) {
  const each = Math.max(1, ((width - LEFT - 4) / Math.max(1, times.length)) * 0.8);
  return (
    <>
      {times.map((_, at) => {
        let base = 0;
        return series.map((one, number) => {
          const value = one.values[at] ?? 0;
          const from = base;
          base += value;
          return value ? <rect key={`${at}.${number}`} class={`bar c${number % COLOURS}`} x={x(at) - each / 2} width={each} y={y(base)} height={Math.max(0, y(from) - y(base))} /> : null;
        });
      })}
    </>
  );
}

function Tip({ at, line, left, width, times, series, format }: ChartProps & { at: number; line: number; left: number; width: number }) {
  const rows = series.map((one, number) => ({ one, number, value: one.values[at] ?? null })).filter((row) => row.value !== null);
  const side = left > width / 2 ? { right: `${width - left + 10}px` } : { left: `${left + 10}px` };
  return (
    <div class="tip" style={side}>
      <div class="hint">{moment(times[at]!)}</div>
      {rows.slice(0, 12).map(({ one, number, value }) => (
        <div key={one.name} class={`tip-row${number === line && series.length > 1 ? " at" : ""}`}>
          <span class={`swatch c${number % COLOURS}`} />
          <span class="grow">{nameOf(one)}</span>
          <span class="number">
            {format(value!)}
            {one.low?.[at] != null && one.high?.[at] != null && <span class="hint"> {format(one.low[at]!)} – {format(one.high[at]!)}</span>}
          </span>
        </div>
      ))}
      {!rows.length && <div class="hint">no data</div>}
    </div>
  );
}

/** Names with their colours; those that are not shown keep theirs. */
export function Legend({ names, isShown = () => true }: { names: string[]; isShown?: (name: string) => boolean }) {
  return (
    <div class="legend">
      {names.map((name, number) => isShown(name) && (
        <span key={name} title={name}>
          <span class={`swatch c${number % COLOURS}`} />
          <span class="ellipsis">{nameOf({ name })}</span>
        </span>
      ))}
    </div>
  );
}

function nameOf({ name }: Pick<Series, "name">): string {
  return name || "(none)";
}

function isAlone(values: (number | null)[], at: number): boolean {
  return (values[at - 1] ?? null) === null && (values[at + 1] ?? null) === null;
}

function linePath(values: (number | null)[], x: (at: number) => number, y: (value: number) => number): string {
  let path = "";
  values.forEach((value, at) => {
    if (value !== null) path += `${at === 0 || values[at - 1] === null ? "M" : "L"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
  });
  return path;
}

function bandPath(low: (number | null)[], high: (number | null)[], x: (at: number) => number, y: (value: number) => number): string {
  let path = "";
  let run: number[] = [];
  const close = () => {
    const upper = run.map((at) => `${x(at).toFixed(1)} ${y(high[at]!).toFixed(1)}`);
    const lower = run.toReversed().map((at) => `${x(at).toFixed(1)} ${y(low[at]!).toFixed(1)}`);
    if (run.length > 1) path += `M${[...upper, ...lower].join("L")}Z`;
    run = [];
  };
  low.forEach((value, at) => (value !== null && high[at] != null ? run.push(at) : close()));
  close();
  return path;
}

function largest({ series, times, kind }: ChartProps): number {
  if (kind === "bar") return Math.max(0, ...times.map((_, at) => series.reduce((sum, one) => sum + (one.values[at] ?? 0), 0)));
  return Math.max(0, ...series.flatMap((one) => [...one.values, ...(one.high ?? [])].map((value) => value ?? 0)));
}

export function niceMax(value: number, isCount = false): number {
  if (value <= 0) return 1;
  if (isCount && Number.isInteger(value) && value <= 10) return value + (value % 2);
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].find((step) => step * power >= value)! * power;
}

/** The same for seconds: halves of it are whole minutes or hours too. */
function niceDuration(seconds: number): number {
  const unit = seconds < 60 ? 1 : seconds < 3600 ? 60 : 3600;
  return unit === 1 ? niceMax(seconds) : Math.ceil(niceMax(seconds / unit) / 2) * 2 * unit;
}

function ticks(times: number[], width: number): number[] {
  const every = Math.max(1, Math.ceil(times.length / Math.max(1, Math.floor((width - LEFT) / 90))));
  return times.map((_, at) => at).filter((at) => at % every === Math.floor(every / 2));
}

/** The series that a click means: the part of the bar, or the nearest line. */
function under({ kind, series }: ChartProps, at: number, top: number, y: (value: number) => number): Series {
  if (kind === "bar") {
    const shown = series.filter((one) => one.values[at]);
    let base = 0;
    return shown.find((one) => y((base += one.values[at]!)) <= top) ?? shown.at(-1) ?? series[0]!;
  }
  const distance = (one: Series) => Math.abs(y(one.values[at] ?? Number.POSITIVE_INFINITY) - top);
  return series.reduce((best, one) => (distance(one) < distance(best) ? one : best));
}

function words(value: number | null | undefined, format: (value: number) => string): string {
  return value === null || value === undefined ? "no data" : format(value);
}

function describe({ title, series, format }: ChartProps): string {
  const last = series.slice(0, 6).map((one) => {
    const values = one.values.filter((value) => value !== null) as number[];
    return values.length ? `${nameOf(one)}: last ${format(values.at(-1)!)}, largest ${format(Math.max(...values))}` : `${nameOf(one)}: no data`;
  });
  return `${title}. ${last.join("; ")}`;
}
