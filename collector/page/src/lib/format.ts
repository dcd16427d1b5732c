// Numbers and times as people read them.

const COUNT = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

export function count(value: number): string {
  return value < 10_000 ? WHOLE.format(value) : COUNT.format(value);
}

export function whole(value: number): string {
  return WHOLE.format(value);
}

/** `1 row`, `2 rows`: the name is of one. */
export function counted(value: number, name: string): string {
  return `${WHOLE.format(value)} ${name}${value === 1 ? "" : "s"}`;
}

/** Seconds with the unit that fits. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "";
  if (seconds === 0) return "0";
  if (seconds < 0.001) return `${Math.round(seconds * 1e6)} µs`;
  if (seconds < 1) return `${round(seconds * 1000)} ms`;
  if (seconds < 60) return `${round(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${Math.round(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} m`;
}

function round(value: number): string {
  return value < 10 ? value.toFixed(2).replace(/\.?0+$/, "") : value < 100 ? value.toFixed(1).replace(/\.0$/, "") : value.toFixed(0);
}

export function dollars(value: number): string {
  if (!value) return "";
  if (value >= 100) return `$${WHOLE.format(value)}`;
  return `$${value >= 0.1 ? value.toFixed(2) : value.toFixed(decimals(value)).replace(/0+$/, "")}`;
}

/** Of dollars, the decimals that show three digits: a call may cost thousandths of a cent. */
export function decimals(value: number): number {
  return Math.min(20, Math.max(2, 2 - Math.floor(Math.log10(value))));
}

export function score(value: number): string {
  return `${(value * 100).toFixed(value === 0 || value === 1 ? 0 : 1).replace(/\.0$/, "")}%`;
}

/** Seconds in one unit, short enough for an axis. */
export function axisDuration(seconds: number): string {
  if (seconds < 60) return duration(seconds);
  return seconds < 3600 ? `${round(seconds / 60)} m` : `${round(seconds / 3600)} h`;
}

/** Any number in a table or on an axis. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Number.isInteger(value)) return Math.abs(value) >= 1e6 ? COUNT.format(value) : WHOLE.format(value);
  return Math.abs(value) >= 1000 ? COUNT.format(value) : String(Number(value.toPrecision(4)));
}

export function bytes(value: number): string {
  const units = ["B", "KB", "MB", "GB"];
  let at = 0;
  while (value >= 1000 && at < units.length - 1) {
    value /= 1000;
    at += 1;
  }
  return `${at ? value.toFixed(1) : value} ${units[at]}`;
}

/** `2026-11-21 23:41:00.123456789`, always UTC, as milliseconds. */
export function parseTime(text: string): number {
  return Date.parse(text.replace(" ", "T").slice(0, 23) + "Z");
}

const pad = (value: number, digits = 2) => String(value).padStart(digits, "0");

export function clock(ms: number, withMillis = true): string {
  const at = new Date(ms);
  const base = `${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;
  return withMillis ? `${base}.${pad(at.getMilliseconds(), 3)}` : base;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

export function day(ms: number): string {
  const at = new Date(ms);
  return `${MONTHS[at.getMonth()]} ${at.getDate()}`;
}

/** Local date and time. */
export function moment(ms: number, withMillis = false): string {
  return `${day(ms)} ${clock(ms, withMillis)}`;
}

export function ago(ms: number, now = Date.now()): string {
  const seconds = Math.max(0, (now - ms) / 1000);
  if (seconds < 60) return `${Math.round(seconds)} s ago`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.round(seconds / 3600)} h ago`;
  return `${Math.round(seconds / 86_400)} d ago`;
}

/** One label on a time axis, as precise as the span of the axis asks for. */
export function axisTime(ms: number, span: number): string {
  if (span > 5 * 86_400_000) return day(ms);
  if (span > 86_400_000) return `${day(ms)} ${clock(ms, false).slice(0, 5)}`;
  return span > 600_000 ? clock(ms, false).slice(0, 5) : clock(ms, false);
}
