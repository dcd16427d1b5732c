// One row before a person: what it holds, and what the person says about it.
import { clock, score } from "../../lib/format";
import { leaveField, useKey } from "../../lib/keys";
import { useLoaded } from "../../lib/load";
import { addressOf, place, setQuery } from "../../lib/router";
import { text } from "../../lib/sql";
import { Button, CopyButton, Empty, ErrorBox, Menu, Spinner, toast, toastError } from "../../ui/basics";
import { Icon } from "../../ui/icons";
import { JsonTree, LongText } from "../../ui/json";
import { ValueView } from "../../ui/value";
import { grade } from "../logs/cells";
import { me } from "../logs/me";
import { assign, claim, getItem, type Item, requeue, type Row, skip } from "./api";
import { History } from "./history";
import { StatusWord } from "./list";
import { VerdictForm } from "./verdict";
import { askForName } from "./index";

interface Props {
  id: string;
  onChanged: () => void;
  /** Claims the next item. */
  onNext: () => void;
}

export function ItemPanel({ id, onChanged, onNext }: Props) {
  const { project } = place.value;
  const found = useLoaded(`${project} ${id}`, (signal) => getItem(project, id, signal));
  const close = () => setQuery({ item: null });
  useKey("Escape", "Leave the field, then the row", () => leaveField() || close());
  const changed = () => (found.reload(), onChanged());
  const item = found.data;
  return (
    <aside class="split-panel review-panel" aria-label="Row to review">
      <header class="trace-head">
        <Button kind="quiet" icon="close" label="Close (Esc)" onClick={close} />
        <h2 class="ellipsis">{item?.row?.name || item?.row_id || id}</h2>
        {item && <StatusWord status={item.status} />}
        <span class="grow" />
        {item && <a class="button quiet" href={sourceOf(item)}><Icon name="tree" /> {item.source === "logs" ? "Trace" : item.source === "eval_rows" ? "Experiment" : "Dataset"}</a>}
        <CopyButton icon="link" label="Copy the address" text={() => location.href} />
      </header>
      {found.error !== undefined && <ErrorBox what="The row could not be read" error={found.error} onRetry={found.reload} />}
      {!item && found.error === undefined && <div class="page-loading"><Spinner /></div>}
      {item && <Opened item={item} project={project} changed={changed} onNext={onNext} />}
    </aside>
  );
}

function sourceOf(item: Item): string {
  if (item.source === "eval_rows") return addressOf(`experiments/${item.object_id}`, { row: item.row_id });
  if (item.source === "dataset_rows") return addressOf(`datasets/${item.object_id}`, { row: item.row_id });
  return item.trace_id ? addressOf("logs", { r: item.trace_id, s: item.row_id, t: "90d" }) : addressOf("logs", { v: "spans", f: `id = ${text(item.row_id)}`, t: "90d" });
}

interface OpenedProps {
  item: Item;
  project: string;
  changed: () => void;
  onNext: () => void;
}

function Opened({ item, project, changed, onNext }: OpenedProps) {
  const isMine = item.status === "in_progress" && item.claimed_by === me.value;
  const isOver = item.status === "done" || item.status === "skipped";
  /** Does something as the reviewer. */
  const act = async (work: (reviewer: string) => Promise<unknown>, done: string, then = changed) => {
    if (!me.value) return askForName();
    try {
      await work(me.value);
      toast(done);
      then();
    } catch (error) {
      toastError("Nothing was changed", error);
      changed();
    }
  };
  const take = () => act((who) => claim(project, who, { id: item.id }), "Yours for half an hour");
  const putBack = () => act((who) => requeue(project, who, item.id), "Back in the queue");
  const leave = () => act((who) => skip(project, who, item.id, ""), "Skipped", onNext);
  useKey("s", "Skip the row", () => void leave(), !isOver);
  useKey("r", "Put the row back in the queue", () => void putBack(), item.status !== "pending");
  useKey("c", "Claim this row", () => void take(), item.status === "pending");
  return (
    <>
      <div class="review-tools">
        <Button icon="right" label="Skip the row (s)" disabled={isOver} onClick={leave}>Skip</Button>
        {item.status === "pending" && <Button icon="check" label="Claim this row (c)" onClick={take}>Claim</Button>}
        {item.status !== "pending" && <Button icon="refresh" label="Put the row back in the queue (r)" onClick={putBack}>Requeue</Button>}
        <AssignMenu item={item} onAssign={(name) => act((who) => assign(project, who, item.id, name), name ? `Left to ${name}` : "Left to anyone")} />
        <span class="grow hint">{whose(item, isMine)}</span>
      </div>
      <div class="detail-body">
        {item.row ? <RowView row={item.row} /> : <Empty icon="search" title="The row is gone"><p>It was deleted, or is older than what is kept. Skip the item.</p></Empty>}
        {item.status === "done" && <Said item={item} />}
        {!isOver && item.row && <VerdictForm item={item} row={item.row} project={project} onChanged={changed} onDone={onNext} />}
        <History project={project} id={item.id} version={item.version} />
      </div>
    </>
  );
}

function whose(item: Item, isMine: boolean): string {
  const until = item.claimed_until ? clock(Date.parse(item.claimed_until), false).slice(0, 5) : "";
  if (isMine) return `yours until ${until}`;
  if (item.status === "in_progress") return `with ${item.claimed_by} until ${until}`;
  if (item.status === "done") return `reviewed by ${item.reviewed_by}`;
  return item.assignee ? `for ${item.assignee}` : "";
}

function AssignMenu({ item, onAssign }: { item: Item; onAssign: (name: string) => void }) {
  const submit = (event: Event, close: () => void) => {
    event.preventDefault();
    onAssign(String(new FormData(event.currentTarget as HTMLFormElement).get("name")).trim());
    close();
  };
  return (
    <Menu label="Assign" button={<><Icon name="edit" /> {item.assignee || "Assign"}</>}>
      {(close) => (
        <form class="menu-form" onSubmit={(event) => submit(event, close)}>
          <label>Who is to review it; empty for anyone <input name="name" placeholder={me.value || "name"} defaultValue={item.assignee} /></label>
          <Button type="submit">Assign</Button>
        </form>
      )}
    </Menu>
  );
}

/** The row as the trace page shows one. */
function RowView({ row }: { row: Row }) {
  const scores = Object.entries(row.scores ?? {});
  const metadata = row.metadata ?? {};
  return (
    <>
      {row.error && <section class="span-error" role="alert"><h3><Icon name="alert" size={14} /> Error</h3><pre><LongText text={row.error} /></pre></section>}
      {isThere(row.input) && <ValueView title="Input" text={JSON.stringify(row.input)} />}
      {isThere(row.output) && <ValueView title="Output" text={JSON.stringify(row.output)} role="assistant" />}
      {isThere(row.expected) && <ValueView title="Expected" text={JSON.stringify(row.expected)} role="assistant" />}
      {(scores.length > 0 || (row.tags ?? []).length > 0) && (
        <div class="row-start review-marks">
          {scores.map(([name, value]) => <span key={name} class={`score ${grade(value)}`} title={name}><span class="score-name">{name}</span> {score(value)}</span>)}
          {row.tags?.map((tag) => <span class="tag" key={tag}>{tag}</span>)}
        </div>
      )}
      {Object.keys(metadata).length > 0 && <details><summary class="hint">Metadata</summary><JsonTree value={metadata} depth={1} /></details>}
    </>
  );
}

function isThere(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** What the review said. */
function Said({ item }: { item: Item }) {
  return (
    <section class="value" aria-label="The review">
      <header><h3>Reviewed by {item.reviewed_by}</h3></header>
      <div class="value-body said">
        {Object.entries(item.scores ?? {}).map(([name, value]) => <span key={name} class={`score ${grade(value)}`}>{name} {score(value)}</span>)}
        {item.comment && <p>{item.comment}</p>}
        {isThere(item.expected) && <p class="hint">The expected answer was corrected; it is shown above.</p>}
        <p class="hint">Put the row back in the queue to review it again.</p>
      </div>
    </section>
  );
}
