// Review: rows that wait for people, one after the other, from the keyboard.
import { useEffect, useState } from "preact/hooks";
import { whole } from "../../lib/format";
import { useKey } from "../../lib/keys";
import { useLoaded } from "../../lib/load";
import { addressOf, place, setQuery } from "../../lib/router";
import { Button, Empty, ErrorBox, Segmented, Spinner, toast, toastError } from "../../ui/basics";
import { me } from "../logs/me";
import { AddDialog } from "./add";
import { claim, type Counts, type Filter, LIST_ROWS, type Line, listItems, loadCounts } from "./api";
import { ItemPanel } from "./item";
import { QueueList } from "./list";

const STATES = ["waiting", "done", "skipped", ""] as const;

function readFilter(): Filter {
  const { project, query } = place.value;
  const asked = query.get("state") ?? "waiting";
  const status = asked === "all" ? "" : (STATES.find((state) => state === asked) ?? "waiting");
  return { project, queue: query.get("queue") ?? "", status, assignee: query.get("for") ?? "" };
}

export default function Review() {
  const filter = readFilter();
  const open = place.value.query.get("item");
  const isAdding = place.value.query.has("add");
  const question = JSON.stringify(filter);
  const items = useLoaded(question, (signal) => listItems(filter, signal));
  const counts = useLoaded(question, (signal) => loadCounts(filter, signal));
  const reload = () => (items.reload(), counts.reload());
  const next = () => void claimNext(filter, reload);
  useKey("n", "Claim the next row", next);
  useKey("a", "Add rows by SQL", () => setQuery({ add: "1" }));
  return (
    <div class="column review">
      <header class="page-head">
        <h1>Review</h1>
        <States filter={filter} counts={counts.data} />
        <span class="grow" />
        <Reviewer />
        <Button icon="plus" onClick={() => setQuery({ add: "1" })}>Add rows</Button>
        <Button kind="primary" label="Claim the next row (n)" onClick={next}>Next</Button>
      </header>
      <div class="filter-line review-filters">
        <Choice label="Queue" all="Every queue" value={filter.queue} values={counts.data?.queues ?? []} onChange={(queue) => setQuery({ queue, item: null })} />
        <Choice label="Assigned to" all="Anyone's" value={filter.assignee} values={counts.data?.people ?? []} onChange={(assignee) => setQuery({ for: assignee, item: null })} />
        {me.value && me.value !== filter.assignee && <Button kind="quiet" onClick={() => setQuery({ for: me.value, item: null })}>Assigned to me</Button>}
      </div>
      {items.error !== undefined && <ErrorBox what="The queue could not be read" error={items.error} onRetry={reload} />}
      <div class="split">
        <div class="split-list"><Lines filter={filter} lines={items.data} isLoading={items.isLoading} open={open} counts={counts.data} /></div>
        {open && <ItemPanel key={open} id={open} onChanged={reload} onNext={next} />}
      </div>
      {isAdding && <AddDialog filter={filter} onDone={reload} />}
    </div>
  );
}

/** Opens the next row for this person; says so when nothing waits. */
async function claimNext({ project, queue }: Filter, reload: () => void): Promise<void> {
  if (!me.value) return askForName();
  try {
    const item = await claim(project, me.value, queue ? { queue } : {});
    if (item) setQuery({ item: item.id });
    else {
      setQuery({ item: null });
      toast("Nothing waits for you. Well done.");
    }
    reload();
  } catch (error) {
    toastError("No row was claimed", error);
  }
}

/** Reviews are signed. */
export function askForName(): void {
  toast("Say who you are first: reviews are signed with your name.", "bad");
  document.querySelector<HTMLInputElement>(".reviewer input")?.focus();
}

function Reviewer() {
  const [name, setName] = useState(me.value);
  useEffect(() => setName(me.value), [me.value]);
  const keep = () => (me.value = name.trim());
  return (
    <form class="reviewer" onSubmit={(event) => (event.preventDefault(), keep(), (document.activeElement as HTMLElement).blur())}>
      <input aria-label="Your name as a reviewer" placeholder="your name" value={name} onInput={(event) => setName(event.currentTarget.value)} onBlur={keep} />
    </form>
  );
}

function States({ filter, counts }: { filter: Filter; counts: Counts | undefined }) {
  const of = counts?.byStatus;
  const shown = (title: string, count: number | undefined) => (count === undefined ? title : `${title} ${whole(count)}`);
  const options = [
    ["waiting", shown("Waiting", of && of.pending + of.in_progress)],
    ["done", shown("Done", of?.done)],
    ["skipped", shown("Skipped", of?.skipped)],
    ["", "All"],
  ] as const;
  return <Segmented label="State" value={filter.status} options={options} onChange={(status) => setQuery({ state: status === "waiting" ? null : status || "all", item: null })} />;
}

function Choice({ label, all, value, values, onChange }: { label: string; all: string; value: string; values: string[]; onChange: (value: string | null) => void }) {
  const known = value && !values.includes(value) ? [value, ...values] : values;
  const choose = (event: Event) => {
    const field = event.currentTarget as HTMLSelectElement;
    // The keys are for the list again.
    field.blur();
    onChange(field.value || null);
  };
  return (
    <select aria-label={label} value={value} onChange={choose}>
      <option value="">{all}</option>
      {known.map((one) => <option key={one} value={one}>{one}</option>)}
    </select>
  );
}

function Lines({ filter, lines, isLoading, open, counts }: { filter: Filter; lines: Line[] | undefined; isLoading: boolean; open: string | null; counts: Counts | undefined }) {
  if (!lines) return isLoading ? <div class="page-loading"><Spinner /></div> : null;
  if (lines.length) return <QueueList lines={lines} open={open} isCut={lines.length === LIST_ROWS} />;
  if (counts && counts.queues.length > 0) return <Empty icon="check" title={filter.status === "waiting" ? "Nothing waits here" : "Nothing here"}><p>Look at another queue or state, or <a href={addressOf("review", { add: "1" })}>add rows</a>.</p></Empty>;
  return (
    <Empty icon="review" title="Nobody has anything to review">
      <p>Rows that need a person go into a queue. Each is claimed by one person, who scores it, corrects the expected answer and goes on; all of that lands on the row itself.</p>
      <p><a href={addressOf("review", { add: "1" })}>Add rows by SQL</a>, select some in the <a href={addressOf("logs")}>logs</a>, or from a terminal:</p>
      <pre class="code">{`spanloop review add --where "scores['helpful'] < 0.5 AND is_root"`}</pre>
    </Empty>
  );
}
