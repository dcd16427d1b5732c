// What a rule would have done with rows of the past, and what its scorers say about ten of them. Nothing is stored.
import { useEffect, useRef, useState } from "preact/hooks";
import { isAbort } from "../../lib/api";
import { counted, dollars, score, whole } from "../../lib/format";
import { useLoaded } from "../../lib/load";
import { addressOf } from "../../lib/router";
import { errorReason } from "../../lib/sql";
import { Button, Empty, ErrorBox, Spinner } from "../../ui/basics";
import { grade } from "../logs/cells";
import { type BackTest, type Rule, testRule, type Tried, tryScorer } from "./api";

const WINDOWS: [number, string][] = [[1, "the last hour"], [24, "the last day"], [168, "the last 7 days"], [720, "the last 30 days"]];

export interface Testing {
  hours: number;
  setHours: (hours: number) => void;
  data: BackTest | undefined;
  error: unknown;
  isRunning: boolean;
  /** Whether what is shown is what the rule, as it is now, would do. */
  isShown: boolean;
  stop: () => void;
  again: () => void;
}

/** The back-test of a rule; null tests nothing. */
export function useBackTest(rule: Rule | null): Testing {
  const [hours, setHours] = useState(24);
  const [stopped, setStopped] = useState("");
  const question = rule && JSON.stringify([rule, hours]);
  const isStopped = question !== null && question === stopped;
  const found = useLoaded(isStopped ? null : question, async (signal) => ({ question, answer: await testRule(rule!, hours, signal) }));
  const isShown = found.data !== undefined && found.data.question === question && found.error === undefined;
  return { hours, setHours: (next) => (setStopped(""), setHours(next)), data: found.data?.answer, error: found.error, isRunning: found.isLoading, isShown, stop: () => setStopped(question ?? ""), again: () => (setStopped(""), found.reload()) };
}

/** What decides on the rows and their scores. */
export function testedPart({ project, filter, scope, scorers, sampling_rate, boosts }: Rule): unknown {
  return [project, filter, scope, scorers, sampling_rate, boosts];
}

/** A form shows at its fields why it cannot be tested. */
export function BackTestPanel({ test, rule, isInForm = false }: { test: Testing; rule: Rule | null; isInForm?: boolean }) {
  const { data } = test;
  const panel = useRef<HTMLElement>(null);
  // On a phone it stands below the form.
  useEffect(() => {
    if (test.isShown) panel.current!.scrollIntoView({ block: "nearest" });
  }, [test.isShown]);
  return (
    <section class="back-test" aria-label="Back-test" ref={panel}>
      <header class="row-start">
        <h3>Back-test over</h3>
        <select aria-label="Window of the back-test" value={test.hours} onChange={(event) => test.setHours(Number(event.currentTarget.value))}>
          {WINDOWS.map(([hours, name]) => <option key={hours} value={hours}>{name}</option>)}
        </select>
        {test.isRunning && <><Spinner label="Reading past rows" /><Button kind="quiet" icon="stop" onClick={test.stop}>Stop</Button></>}
      </header>
      {test.error !== undefined && isInForm && <p class="hint">The form says what keeps the rule from being tested.</p>}
      {test.error !== undefined && !isInForm && <ErrorBox what="The rule could not be tested" error={test.error} />}
      {!rule && <Empty icon="rules" title="See it before it runs"><p>Test the rule on past rows: how many it matches and samples, what that costs, and ten rows with their scores. Nothing is stored.</p></Empty>}
      {data && test.error === undefined && <Outcome data={data} hours={test.hours} />}
    </section>
  );
}

function Outcome({ data, hours }: { data: BackTest; hours: number }) {
  const cost = (share: number) => (data.estimated_cost === undefined ? "unknown" : dollars(data.estimated_cost * share) || "$0");
  const facts: [string, string][] = [
    ["Matched", whole(data.matched)],
    ["Sampled", whole(data.sampled)],
    ["Calls of scorers", whole(data.calls)],
    ["Cost", cost(1)],
    ["A day costs", cost(24 / hours)],
  ];
  return (
    <>
      <div class="tiles">{facts.map(([name, value]) => <div class="tile" key={name}><span class="hint">{name}</span><strong>{value}</strong></div>)}</div>
      {data.estimated_cost === undefined && <p class="hint">What calls of these scorers cost is known once some were made.</p>}
      {data.matched === 0 && <p class="hint">No row of this window matches. Look further back, or make the filter wider.</p>}
      {data.matched > 0 && data.sampled === 0 && <p class="hint">Rows match, and none is in the sample: the rate is low for so few rows.</p>}
      {data.sample.length > 0 && <Sample key={JSON.stringify(data)} data={data} />}
    </>
  );
}

type Results = Record<string, Tried | undefined>;

/** The sampled rows, each scorer's column filling as it works. */
function Sample({ data }: { data: BackTest }) {
  const { scorers } = data.rule;
  const rows = data.sample.map((row) => JSON.parse(row) as { trace_id: string; span_id: string; name: string; input: unknown; output: unknown });
  const { results, errors, isRunning, stop } = useTrial(data);
  return (
    <>
      <div class="row-start">
        <h3>{counted(rows.length, "row")} of the sample, scored now</h3>
        {isRunning && <><Spinner label="Scoring" /><Button kind="quiet" icon="stop" onClick={stop}>Stop scoring</Button></>}
        <span class="hint">Nothing is stored.</span>
      </div>
      {errors.map((error, at) => <ErrorBox key={at} what="The rows could not be scored" error={error} />)}
      <div class="scroll-x">
        <table class="plain-table trial-table">
          <thead><tr><th scope="col">Row</th>{scorers.map((scorer) => <th scope="col" key={scorer.name}>{scorer.name}</th>)}<th scope="col">Input</th><th scope="col">Output</th></tr></thead>
          <tbody>
            {rows.map((row, at) => (
              <tr key={row.span_id}>
                <th scope="row"><a href={addressOf("logs", { r: row.trace_id, s: row.span_id, t: "90d" })}>{row.name || "(no name)"}</a></th>
                {scorers.map((scorer) => <td key={scorer.name}><Verdict result={results[`${scorer.name} ${at}`]} isRunning={isRunning} /></td>)}
                <td><Start value={row.input} /></td>
                <td><Start value={row.output} /></td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

function useTrial(data: BackTest) {
  const [results, setResults] = useState<Results>({});
  const [errors, setErrors] = useState<unknown[]>([]);
  const [isRunning, setRunning] = useState(true);
  const [abort] = useState(() => new AbortController());
  useEffect(() => {
    const work = data.rule.scorers.map((scorer) =>
      tryScorer(scorer, data.sample, abort.signal, (result) => setResults((old) => ({ ...old, [`${scorer.name} ${result.id}`]: result }))).catch((error) => {
        if (!isAbort(error)) setErrors((old) => [...old, error]);
      }),
    );
    void Promise.all(work).then(() => setRunning(false));
    return () => abort.abort();
  }, []);
  return { results, errors, isRunning, stop: () => abort.abort() };
}

function Verdict({ result, isRunning }: { result: Tried | undefined; isRunning: boolean }) {
  if (!result) return isRunning ? <span class="hint">…</span> : <span class="hint">not scored</span>;
  if (result.status !== "scored") return <><span class="score low">failed</span> <span class="trial-reason">{errorReason(result.error)}</span></>;
  return (
    <>
      {result.scores.map((one) => (
        <div key={one.name}>
          {one.score === undefined ? <span class="hint">skipped</span> : <span class={`score ${grade(one.score)}`}>{score(one.score)}</span>}
          {result.scores.length > 1 && <span class="hint"> {one.name}</span>}
          {one.reason && <span class="trial-reason"> {one.reason}</span>}
        </div>
      ))}
      {result.scores.length === 0 && <span class="hint">skipped</span>}
    </>
  );
}

function Start({ value }: { value: unknown }) {
  const shown = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
  return <span class="trial-text" title={shown.slice(0, 1000)}>{shown.slice(0, 200)}</span>;
}
