// The items of a queue.
import { ago, parseTime, whole } from "../../lib/format";
import { setQuery } from "../../lib/router";
import { Grid, type GridColumn } from "../../ui/grid";
import type { Line, Status } from "./api";

export const STATUS_WORDS: Record<Status, string> = { pending: "waiting", in_progress: "in review", done: "done", skipped: "skipped" };
const SOURCE_WORDS = { logs: "production", eval_rows: "experiment", dataset_rows: "dataset" };

const COLUMNS: GridColumn<Line>[] = [
  { id: "status", title: "State", width: 92, cell: (line) => <StatusWord status={line.status} /> },
  { id: "row", title: "Row", width: 0, cell: (line) => <span class="two-lines"><span class="ellipsis">{line.name || line.row_id}</span><span class="hint ellipsis">{line.preview || SOURCE_WORDS[line.source]}</span></span> },
  { id: "who", title: "Whose", width: 110, cell: (line) => <span class="ellipsis" title={whose(line)}>{whose(line)}</span> },
  { id: "queue", title: "Queue", width: 100, cell: (line) => <span class="hint ellipsis">{line.queue}</span> },
  { id: "when", title: "Queued", width: 90, cell: (line) => <time>{ago(parseTime(line.created))}</time> },
];

function whose(line: Line): string {
  return line.reviewed_by || line.claimed_by || line.assignee;
}

export function StatusWord({ status }: { status: Status }) {
  return <span class={`count review-${status}`}>{STATUS_WORDS[status]}</span>;
}

export function QueueList({ lines, open, isCut }: { lines: Line[]; open: string | null; isCut: boolean }) {
  return (
    <Grid
      label="Rows to review"
      columns={open ? COLUMNS.slice(0, 3) : COLUMNS}
      rows={lines}
      rowHeight={46}
      keyOf={(line) => line.id}
      openKey={open ?? undefined}
      onOpen={(line) => setQuery({ item: line.id }, { replace: open !== null })}
      footer={isCut ? <p class="list-end hint">The first {whole(lines.length)}; choose a queue or a person to see others.</p> : undefined}
    />
  );
}
