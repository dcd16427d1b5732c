// Scores for the selected rows: one that a person gives to all of them, or those of a rule.
import { useEffect, useState } from "preact/hooks";
import { isAbort } from "../../lib/api";
import { counted } from "../../lib/format";
import { useLoaded } from "../../lib/load";
import { addressOf } from "../../lib/router";
import { giveFeedback } from "../../lib/rows";
import { Button, ErrorBox, Menu, MenuItem, Spinner, toast, toastError } from "../../ui/basics";
import { Icon } from "../../ui/icons";
import { ScoreForm } from "../../ui/scoreform";
import { type Backfill, listBackfills, listRules, type Rule, startBackfill, stopBackfill } from "../rules/api";
import { theseRows } from "./promote";
import type { LogRow } from "./queries";

const LOOK_MS = 700;

interface Props {
  project: string;
  rows: LogRow[];
  onDone: () => void;
}

interface Running {
  rule: Rule;
  backfill: Backfill;
}

export function BulkScore({ project, rows, onDone }: Props) {
  const [running, setRunning] = useState<Running | null>(null);
  const byHand = async (name: string, value: number) => {
    try {
      await giveFeedback(project, rows.map(({ id }) => ({ id, scores: { [name]: value } })));
      toast(`Scored ${counted(rows.length, "row")}`);
      onDone();
    } catch (error) {
      toastError("The rows were not scored", error);
    }
  };
  const byRule = async (rule: Rule) => {
    try {
      setRunning({ rule, backfill: await startBackfill(rule, { ...rangeOf(rows), filter: theseRows(rows.map((row) => row.span_id)), all: true, again: true }) });
    } catch (error) {
      toastError("The rows were not scored", error);
    }
  };
  if (running) return <Progress running={running} onDone={onDone} />;
  return (
    <Menu label="Score" button={<><Icon name="score" /> Score</>}>
      {(close) => (
        <>
          <Rules project={project} onPick={(rule) => (void byRule(rule), close())} />
          <ScoreForm known={[]} onScore={byHand} />
        </>
      )}
    </Menu>
  );
}

function Rules({ project, onPick }: { project: string; onPick: (rule: Rule) => void }) {
  const rules = useLoaded(project, (signal) => listRules(project, signal));
  return (
    <>
      {rules.isLoading && <div class="menu-note"><Spinner /></div>}
      {rules.error !== undefined && <ErrorBox error={rules.error} />}
      {rules.data?.length === 0 && <div class="menu-note">There is no scoring rule yet. A <a href={addressOf("rules")}>rule</a> could score these rows by itself.</div>}
      {rules.data?.map(({ rule }) => <MenuItem key={rule.name} icon="score" hint={rule.enabled ? "rule" : "rule, off"} onClick={() => onPick(rule)}>{rule.name}</MenuItem>)}
    </>
  );
}

/** How far the rule is, until it is through. */
function Progress({ running: { rule, backfill }, onDone }: { running: Running; onDone: () => void }) {
  const [now, setNow] = useState(backfill);
  useEffect(() => {
    const gone = new AbortController();
    const look = async () => {
      const found = (await listBackfills(rule, gone.signal)).find((one) => one.id === backfill.id);
      if (found) setNow(found);
    };
    const timer = setInterval(() => void look().catch((error) => isAbort(error) || toastError("How far the scoring is cannot be read", error)), LOOK_MS);
    return () => {
      clearInterval(timer);
      gone.abort();
    };
  }, [backfill.id]);
  useEffect(() => {
    if (!isOver(now)) return;
    if (now.error) toastError(`${rule.name} did not score the rows`, new Error(now.error));
    else if (now.state === "stopped") toast("Stopped: what was queued already is still scored");
    else toast(now.matched ? `${rule.name} scored ${counted(now.matched, "row")}` : `None of these rows is one that ${rule.name} scores`);
    onDone();
  }, [now]);
  const stop = () => stopBackfill(rule, backfill.id).catch((error) => toastError("The scoring goes on", error));
  return (
    <>
      <progress aria-label={`Scoring with ${rule.name}`} {...(now.queued ? { max: now.queued, value: now.done } : {})} />
      <Button icon="stop" onClick={stop}>Stop</Button>
    </>
  );
}

/** The times between which the rows began: a rule need not look at others. */
function rangeOf(rows: LogRow[]): { since: string; until: string } {
  const times = rows.map((row) => Date.parse(`${row.created.slice(0, 19).replace(" ", "T")}Z`));
  return { since: new Date(Math.min(...times)).toISOString(), until: new Date(Math.max(...times) + 1000).toISOString() };
}

function isOver({ state, queued, done }: Backfill): boolean {
  return state !== "running" && (state !== "queued" || done >= queued);
}
