// The list grouped by an expression: one row for each of its values.
import { count, dollars, duration } from "../../lib/format";
import { useLoaded } from "../../lib/load";
import { setQuery } from "../../lib/router";
import { text } from "../../lib/sql";
import { Empty, ErrorBox, Spinner } from "../../ui/basics";
import { Grid, type GridColumn } from "../../ui/grid";
import { type Group, loadGroups } from "./queries";
import { type LogsState, questionOf } from "./state";

const right = { align: "right" as const };

const COLUMNS: GridColumn<Group>[] = [
  { id: "value", title: "Value", width: 0, cell: (group) => <span class="ellipsis">{group.value || <i class="hint">(none)</i>}</span> },
  { id: "count", title: "Rows", width: 90, ...right, cell: (group) => <span class="number">{count(group.count)}</span> },
  { id: "errors", title: "Errors", width: 110, ...right, cell: (group) => <span class={`number${group.errors ? " bad" : ""}`}>{group.errors ? `${count(group.errors)} (${((group.errors / group.count) * 100).toFixed(1)}%)` : ""}</span> },
  { id: "p50", title: "p50", width: 90, ...right, cell: (group) => <span class="number">{duration(group.p50)}</span> },
  { id: "p95", title: "p95", width: 90, ...right, cell: (group) => <span class="number">{duration(group.p95)}</span> },
  { id: "tokens", title: "Tokens", width: 90, ...right, cell: (group) => <span class="number">{count(group.tokens)}</span> },
  { id: "cost", title: "Cost", width: 100, ...right, cell: (group) => <span class="number">{dollars(group.cost)}</span> },
];

export function Groups({ state }: { state: LogsState }) {
  const groups = useLoaded(questionOf(state) + state.groupBy, (signal) => loadGroups(state, signal));
  const open = (group: Group) => setQuery({ g: null, f: [...state.filters, `toString(${state.groupBy}) = ${text(group.value)}`] });
  if (groups.error) return <ErrorBox what={`The rows cannot be grouped by ${state.groupBy}`} error={groups.error} onRetry={groups.reload} />;
  if (!groups.data) return <div class="page-loading"><Spinner /></div>;
  if (!groups.data.length) return <Empty icon="rows" title="No rows in this range of time" />;
  return <Grid label={`Rows by ${state.groupBy}`} columns={COLUMNS} rows={groups.data} rowHeight={32} keyOf={(group) => group.value} onOpen={open} />;
}
