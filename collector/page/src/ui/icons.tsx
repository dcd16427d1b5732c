// Line icons on a grid of 16, drawn in the colour of the text.

const PATHS = {
  logs: "M2.5 4h11M2.5 8h11M2.5 12h7",
  monitor: "M2 12.5 5.5 8l3 2.5L13.5 4M10 4h3.5v3.5",
  sql: "M3 4.5 6.5 8 3 11.5M8 12h5",
  datasets: "M3 4c0-2.6 10-2.6 10 0v8c0 2.6-10 2.6-10 0zM3 4c0 2.6 10 2.6 10 0M3 8c0 2.6 10 2.6 10 0",
  experiments: "M6 2.5h4M6.8 2.5v4L3 13.5h10l-3.8-7v-4",
  rules: "M3 4h6m4 0h0M3 12h2m4 0h4M11 2.5v3M7 10.5v3",
  review: "M3 8.5 6.5 12 13 4.5",
  playground: "M5 3v10l8-5z",
  search: "M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zm3.6-1.4L14 14",
  close: "M4 4l8 8M12 4l-8 8",
  right: "M6 3.5 10.5 8 6 12.5",
  left: "M10 3.5 5.5 8l4.5 4.5",
  down: "M3.5 6 8 10.5 12.5 6",
  up: "M3.5 10 8 5.5l4.5 4.5",
  plus: "M8 3v10M3 8h10",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  filter: "M2 3.5h12L9.5 9v4l-3-1.5V9z",
  columns: "M2.5 3h11v10h-11zM6.2 3v10M9.8 3v10",
  rows: "M2.5 3h11v10h-11zM2.5 6.4h11M2.5 9.7h11",
  clock: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 5v3.2l2.2 1.5",
  live: "M8 9.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3zM4.2 11.8a5.4 5.4 0 0 1 0-7.6m7.6 0a5.4 5.4 0 0 1 0 7.6",
  expand: "M9.5 2.5h4v4M13.5 2.5 9 7M6.5 13.5h-4v-4M2.5 13.5 7 9",
  copy: "M5.5 5.5h8v8h-8zM3.5 10.5h-1v-8h8v1",
  link: "M6.5 9.5 9.5 6.5M7 4.5l1.3-1.3a3 3 0 0 1 4.4 4.4L11.5 9M9 11.5l-1.3 1.3a3 3 0 0 1-4.4-4.4L4.5 7",
  download: "M8 2.5v7.5M4.5 7 8 10.5 11.5 7M3 13.5h10",
  save: "M4 2.5h8v11l-4-3-4 3z",
  sun: "M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM8 1.5v1M8 13.5v1M1.5 8h1M13.5 8h1M3.4 3.4l.7.7M11.9 11.9l.7.7M3.4 12.6l.7-.7M11.9 4.1l.7-.7",
  moon: "M13 9.5A5.5 5.5 0 0 1 6.5 3 5.5 5.5 0 1 0 13 9.5z",
  system: "M2 3h12v8H2zM6 13.5h4",
  help: "M6 6a2 2 0 1 1 2.8 1.9c-.6.3-.8.7-.8 1.4M8 11.8h.01",
  key: "M6 10.5a3 3 0 1 1 2.6-4.5H14v2.5h-1.5V10H11V8.5H8.6A3 3 0 0 1 6 10.5z",
  check: "M3 8.5 6.5 12 13 4.5",
  alert: "M8 2 14.5 13.5h-13zM8 6.5v3M8 11.6h.01",
  thumbUp: "M5 7.5v6h-2.5v-6zM5 7.5 7.5 2c1.2 0 1.8.8 1.5 2l-.5 2.5h4c.8 0 1.2.6 1 1.4l-1 4.4c-.1.7-.6 1.2-1.4 1.2H5",
  thumbDown: "M11 8.5v-6h2.500v6zM11 8.5 8.5 14c-1.2 0-1.8-.8-1.5-2l.5-2.500h-4c-.8 0-1.2-.6-1-1.400l1-4.400c.1-.7.6-1.2 1.4-1.200H11",
  edit: "M3 13l.7-3L10.5 3.200l2.3 2.300L6 12.300z",
  trash: "M3 4.500h10M6.5 4.500v-2h3v2M4.5 4.500l.6 9h5.800l.6-9",
  pin: "M6 2.500h4l-.5 4 2 2.500h-7l2-2.500zM8 9v4.5",
  tag: "M2.5 7.500v-5h5l6 6-5 5zM5.2 5.200h.01",
  chat: "M2.5 3h11v8h-6l-3 2.500V11h-2z",
  tree: "M3 3.500h4M5 3.500v9h3M5 8h3M10 8h3M10 12.500h3",
  refresh: "M13 8a5 5 0 1 1-1.5-3.600M13 2.500v2.500h-2.5",
  llm: "M8 2l1.5 4.500L14 8l-4.5 1.500L8 14l-1.5-4.500L2 8l4.5-1.500z",
  tool: "M10 2.500a3.5 3.5 0 0 0-3.3 4.600L2.5 11.300l2.2 2.2 4.2-4.200A3.5 3.5 0 0 0 13.3 5l-2 2-2.3-2.3 2-2a3.4 3.4 0 0 0-1-.2z",
  func: "M10.5 3.500c-2-1-3 0-3.2 2L6.5 11c-.2 1.8-1.2 2.3-2.5 1.700M5 7h5",
  task: "M3 3h10v10H3zM5.5 8.200l2 2 3.2-4",
  score: "M8 2l1.8 3.9 4.2.5-3.1 2.9.8 4.200L8 11.400l-3.7 2.1.8-4.200L2 6.400l4.2-.5z",
  span: "M2.5 6h11v4h-11z",
  stop: "M4 4h8v8H4z",
  chart: "M2.5 13.500h11M4.5 11V7M8 11V3.500M11.5 11V5.5",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 16, label }: { name: IconName; size?: number; label?: string }) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 16 16" aria-hidden={label ? undefined : "true"} aria-label={label} role={label ? "img" : undefined}>
      <path d={PATHS[name]} />
    </svg>
  );
}

const TYPE_ICONS: Record<string, IconName> = {
  llm: "llm",
  tool: "tool",
  function: "func",
  task: "task",
  eval: "experiments",
  score: "score",
};

/** The sign of a span's type, in its colour. */
export function TypeIcon({ type }: { type: string }) {
  return (
    <span class={`type type-${TYPE_ICONS[type] ? type : "span"}`} title={type}>
      <Icon name={TYPE_ICONS[type] ?? "span"} size={14} />
    </span>
  );
}
