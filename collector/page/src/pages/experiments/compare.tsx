// One experiment against its base, or several side by side.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { counted, whole } from "../../lib/format";
import { useKey } from "../../lib/keys";
import { useLoaded } from "../../lib/load";
import { addressOf, place } from "../../lib/router";
import { Button, Empty, ErrorBox, Segmented, Spinner } from "../../ui/basics";
import { ExportMenu } from "../../ui/exportmenu";
import { ApiError } from "../../lib/api";
import { TracePanel } from "../trace/panel";
import { compare, type Comparison } from "./api";
import { CaseGrid } from "./casegrid";
import { CaseList } from "./caselist";
import { CasePanel } from "./casepanel";
import { Groups } from "./groups";
import { Sides } from "./sides";
import { change, type CompareState, LAYOUTS, questionOf, readState } from "./state";
import { Summary } from "./summary";
import { SummaryTable } from "./summarytable";
import { AggregateMenu, exportFiles, GroupMenu, MoreFields, OrderMenu, WhereField } from "./tools";
import { Verdicts } from "./verdicts";

const FIRST_CASES = 100;
const MAX_CASES = 1000;

export function ComparePage() {
  const at = place.value;
  const state = useMemo(readState, [at]);
  const [limit, setLimit] = useState(FIRST_CASES);
  // A link to one case may mean any of them.
  const isLinked = useRef(state.openCase !== "" || at.query.has("row"));
  const wanted = isLinked.current ? MAX_CASES : limit;
  const hasCases = state.layout === "list" || state.layout === "grid";
  const question = questionOf(state, hasCases || isLinked.current ? wanted : 0);
  const found = useLoaded(JSON.stringify(question), (signal) => compare(question, signal));
  useEffect(() => setLimit(FIRST_CASES), [state.names.join("\n"), state.where, state.orderBy]);
  useEffect(() => void (document.title = `${state.names.join(" / ")} · ${state.project} · spanloop`), [state.names.join()]);
  LAYOUTS.forEach(([layout, title], number) => useKey(String(number + 1), `Layout: ${title}`, () => change({ layout: layout === "list" ? null : layout })));
  const { data, error } = found;
  if (error instanceof ApiError && error.status === 404) return <Missing state={state} error={error} />;
  const more = () => {
    if (data && hasCases && !found.isLoading && data.cases.length === wanted && wanted < MAX_CASES) setLimit(Math.min(MAX_CASES, limit * 2));
  };
  return (
    <div class="experiments column">
      <header class="page-head">
        <h1 class="ellipsis"><a href={addressOf("experiments")}>Experiments</a> / {state.names[0]}</h1>
        <Segmented label="Layout" value={state.layout} onChange={(layout) => change({ layout: layout === "list" ? null : layout })} options={LAYOUTS} />
        <span class="grow" />
        {found.isLoading && <Spinner />}
        <OrderMenu state={state} />
        <GroupMenu state={state} />
        <AggregateMenu state={state} data={data} />
        <MoreFields state={state} />
        {data && <ExportMenu label="Export" files={exportFiles(state, data)} />}
        {state.layout === "table" && <Button icon="save" onClick={() => print()}>Print</Button>}
      </header>
      {data && <Sides state={state} data={data} />}
      <WhereField state={state} error={error} />
      {error !== undefined && <ErrorBox what="The comparison could not be made" error={error} onRetry={found.reload} />}
      {!data && found.isLoading && <div class="page-loading"><Spinner /></div>}
      {data && error === undefined && <Body state={state} data={data} onEnd={more} isCut={data.cases.length === MAX_CASES} />}
      {at.query.get("r") && <TracePanel project={state.project} traceId={at.query.get("r")!} spanId={at.query.get("s") ?? ""} relation="eval_rows" />}
    </div>
  );
}

interface BodyProps {
  state: CompareState;
  data: Comparison;
  onEnd: () => void;
  isCut: boolean;
}

function Body({ state, data, onEnd, isCut }: BodyProps) {
  if (!data.case_count) return <NoCases state={state} />;
  const open = findCase(data, state, place.value.query.get("row") ?? "");
  const body = state.layout === "summary" ? <Summary data={data} /> : state.layout === "table" ? <SummaryTable data={data} /> : <Cases state={state} data={data} onEnd={onEnd} isCut={isCut} />;
  return (
    <div class="split">
      <div class="split-list">{state.groupBy && state.layout !== "grid" ? <Groups state={state} data={data} /> : body}</div>
      {open && <CasePanel key={open.key} state={state} data={data} one={open} />}
    </div>
  );
}

/** By its key, or by the id of one of its trials, as links from elsewhere have it. */
function findCase(data: Comparison, state: CompareState, row: string) {
  if (state.openCase) return data.cases.find((one) => one.key === state.openCase);
  return row ? data.cases.find((one) => one.sides.some((side) => side.rows?.some((trial) => trial.id === row))) : undefined;
}

function Cases({ state, data, onEnd, isCut }: BodyProps) {
  const note = isCut ? `the first ${whole(data.cases.length)} of ${counted(data.case_count, "case")}; narrow them with SQL above` : counted(data.case_count, "case");
  return (
    <div class="cases column">
      <Verdicts data={data} />
      <div class="fill">{state.layout === "grid" ? <CaseGrid state={state} data={data} onEnd={onEnd} note={note} /> : <CaseList state={state} data={data} onEnd={onEnd} note={note} />}</div>
    </div>
  );
}

function NoCases({ state }: { state: CompareState }) {
  if (state.where) return <Empty icon="search" title="No case meets the condition"><p><Button onClick={() => change({ f: null })}>All cases</Button></p></Empty>;
  return (
    <Empty icon="experiments" title="No case has arrived yet">
      <p>Rows of a run show a moment after they end. Is it still running? Otherwise run it again:</p>
      <pre class="code">spanloop eval evals/</pre>
    </Empty>
  );
}

function Missing({ state, error }: { state: CompareState; error: ApiError }) {
  return (
    <Empty icon="search" title="There is no such experiment">
      <p>{error.message.replace(/^experiments\[\d+\]: /, "")}</p>
      <p><a href={addressOf("experiments", {}, state.project)}>All experiments</a></p>
    </Empty>
  );
}
