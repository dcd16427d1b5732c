// SQL: ask anything, see it as a table or a chart, save it, share its address.
import { useEffect, useRef, useState } from "preact/hooks";
import { isAbort } from "../../lib/api";
import { counted, duration } from "../../lib/format";
import { useKey } from "../../lib/keys";
import { place, setQuery } from "../../lib/router";
import { ask, errorPosition, type Table } from "../../lib/sql";
import { Button, CopyButton, Empty, ErrorBox, Segmented, Spinner } from "../../ui/basics";
import { ExportMenu, resultFiles } from "../../ui/exportmenu";
import { Icon } from "../../ui/icons";
import { SqlInput } from "../../ui/sqlinput";
import { QuickChart } from "./chart";
import { ResultGrid } from "./result";
import { SavedQueries } from "./saved";
import { SchemaBrowser } from "./schema";

const ROW_LIMIT = 20_000;

const SAMPLES: [string, string][] = [
  ["Cost and tokens by model", "SELECT model, count() AS calls, sum(tokens) AS tokens, sum(cost) AS usd\nFROM logs\nWHERE project = {project} AND type = 'llm' AND created > now() - INTERVAL 1 DAY\nGROUP BY model\nORDER BY usd DESC"],
  ["Slowest traces of today", "SELECT trace_id, name, duration, spans, cost\nFROM traces\nWHERE project = {project} AND created >= today()\nORDER BY duration DESC\nLIMIT 50"],
  ["Calls and errors per hour", "SELECT toStartOfHour(created) AS hour, count() AS spans, countIf(error != '') AS errors\nFROM logs\nWHERE project = {project} AND created > now() - INTERVAL 1 DAY\nGROUP BY hour\nORDER BY hour"],
  ["Mean of every score", "SELECT name, count() AS rows, avg(score) AS mean, stddevSamp(score) AS spread\nFROM scores\nWHERE project = {project}\nGROUP BY name\nORDER BY name"],
];

export default function Sql() {
  const shared = place.value.query.get("sql") ?? "";
  const [text, setText] = useState(shared);
  const [result, setResult] = useState<Table | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [failed, setFailed] = useState("");
  const [isRunning, setRunning] = useState(false);
  const abort = useRef<AbortController | null>(null);
  const look = place.value.query.get("look") === "chart" ? "chart" : "table";

  const run = async (statement = text) => {
    if (!statement.trim()) return;
    abort.current?.abort();
    const mine = (abort.current = new AbortController());
    setQuery({ sql: statement });
    setRunning(true);
    setError(null);
    try {
      const settings = { max_result_rows: String(ROW_LIMIT), result_overflow_mode: "break" };
      setResult(await ask(statement, { signal: mine.signal, settings }));
    } catch (reason) {
      if (isAbort(reason)) return;
      setError(reason);
      setFailed(statement);
    } finally {
      if (abort.current === mine) setRunning(false);
    }
  };
  const cancel = () => {
    abort.current?.abort();
    setRunning(false);
  };
  // An address that somebody shared is asked at once, and so is one that Back returns to.
  useEffect(() => {
    setText(shared);
    if (shared && shared !== failed) void run(shared);
  }, [shared]);
  useEffect(() => () => abort.current?.abort(), []);
  useKey("Mod+Enter", "Run the statement", () => run());
  const start = (sample: string) => {
    const filled = sample.replace("{project}", `'${place.value.project.replace(/'/g, "\\'")}'`);
    setText(filled);
    void run(filled);
  };
  return (
    <div class="sql-page">
      <header class="page-head">
        <h1>SQL</h1>
        <SavedQueries text={text} onOpen={(saved) => (setText(saved), run(saved))} />
        <span class="grow" />
        <CopyButton icon="link" label="Copy the address of this question" text={() => location.href} />
        {result && <ExportMenu label="Export the result" files={resultFiles(text, "result")}><span class="wide-only">Export</span></ExportMenu>}
        {isRunning ? <Button icon="stop" onClick={cancel}>Stop</Button> : <Button kind="primary" icon="playground" onClick={() => run()} disabled={!text.trim()}>Run</Button>}
      </header>
      <div class="sql-body">
        <div class="sql-main">
          <div class="sql-editor">
            <SqlInput label="SQL statement" hint="SELECT … FROM logs" value={text} onChange={setText} onSubmit={() => run()} errorAt={error && text === failed ? errorPosition(error, text) : null} />
          </div>
          <div class="sql-status" aria-live="polite">
            {isRunning && <><Spinner /> <span class="hint">Asking…</span></>}
            {!isRunning && !error && result && <span class="hint">{counted(result.rows.length, "row")}{result.rows.length >= ROW_LIMIT && " (the first)"}, {counted(result.columns.length, "column")}, {duration(result.seconds)}</span>}
            {!isRunning && !result && !error && <span class="hint">Ctrl+Enter runs the statement.</span>}
            <span class="grow" />
            {result && !error && <Segmented label="Show as" value={look} onChange={(next) => setQuery({ look: next === "chart" ? "chart" : null }, { replace: true })} options={[["table", "Table"], ["chart", "Chart"]]} />}
          </div>
          {error ? <ErrorBox what="The statement does not run" error={error} /> : !result ? <Samples onPick={start} /> : look === "chart" ? <div class="sql-result chart-box"><QuickChart table={result} /></div> : <div class="sql-result"><ResultGrid table={result} /></div>}
        </div>
        <SchemaBrowser onPick={(name) => setText((old) => `${old}${old && !/\s$/.test(old) ? " " : ""}${name}`)} />
      </div>
    </div>
  );
}

function Samples({ onPick }: { onPick: (sample: string) => void }) {
  return (
    <Empty icon="sql" title="Ask your traces anything">
      <p>One row is a span. Everything the page shows, you can ask for yourself.</p>
      <div class="sql-samples">
        {SAMPLES.map(([name, sample]) => <button type="button" class="button plain" key={name} onClick={() => onPick(sample)}><Icon name="sql" /> {name}</button>)}
      </div>
    </Empty>
  );
}
