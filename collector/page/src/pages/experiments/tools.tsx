// Order, groups, aggregate scores, columns, condition, export: what shapes a comparison.
import { useEffect, useState } from "preact/hooks";
import { request } from "../../lib/api";
import { errorPosition } from "../../lib/sql";
import { place } from "../../lib/router";
import { Button, Menu, MenuItem } from "../../ui/basics";
import type { FileChoice } from "../../ui/exportmenu";
import { Icon } from "../../ui/icons";
import { SqlInput } from "../../ui/sqlinput";
import type { Comparison } from "./api";
import { change, type CompareState } from "./state";

const ORDERS: [string, string][] = [["regressions", "Most regressions first"], ["improvements", "Most improvements first"], ["input", "By input"]];

export function OrderMenu({ state }: { state: CompareState }) {
  const current = ORDERS.find(([order]) => order === state.orderBy)?.[1] ?? state.orderBy;
  return (
    <Menu align="right" label={`Order: ${current}`} button={<><Icon name="rows" /><span class="wide-only">Order</span></>}>
      {(close) => (
        <>
          {ORDERS.map(([order, title]) => <MenuItem key={order} isOn={order === state.orderBy} onClick={() => (change({ o: order === "regressions" ? null : order }), close())}>{title}</MenuItem>)}
          <SqlForm label="Order by SQL" hint="duration" button="Order" onSubmit={(sql) => (change({ o: sql }), close())} />
        </>
      )}
    </Menu>
  );
}

export function GroupMenu({ state }: { state: CompareState }) {
  return (
    <Menu align="right" label={state.groupBy ? `Grouped by ${state.groupBy}` : "Group by"} button={<><Icon name="tree" /><span class="wide-only">{state.groupBy || "Group"}</span></>}>
      {(close) => (
        <>
          {state.groupBy && <MenuItem icon="close" onClick={() => (change({ g: null }), close())}>No groups</MenuItem>}
          <SqlForm label="Group by a key of metadata, or SQL" hint="topic" button="Group" onSubmit={(sql) => (change({ g: sql }), close())} />
        </>
      )}
    </Menu>
  );
}

export function AggregateMenu({ state, data }: { state: CompareState; data: Comparison | undefined }) {
  const known = data?.scores.filter((measure) => !state.aggregates.some((one) => one.name === measure.name)).map((measure) => measure.name) ?? [];
  const set = (texts: string[]) => change({ a: texts });
  const mine = place.value.query.getAll("a");
  return (
    <Menu align="right" label="Aggregate scores" button={<><Icon name="score" /><span class="wide-only">Aggregate</span></>}>
      {(close) => (
        <>
          {mine.map((one) => <MenuItem key={one} icon="close" onClick={() => set(mine.filter((text) => text !== one))}>{one}</MenuItem>)}
          {known.length > 1 && <MenuItem icon="plus" onClick={() => (set([...mine, `overall: (${known.map(scoreSql).join(" + ")}) / ${known.length}`]), close())}>Mean of {known.join(", ")}</MenuItem>}
          {known.length > 1 && <MenuItem icon="plus" onClick={() => (set([...mine, `worst: least(${known.map(scoreSql).join(", ")})`]), close())}>Worst of {known.join(", ")}</MenuItem>}
          <SqlForm label="name: formula over scores" hint={`quality: ${scoreSql(known[0] ?? "exact")} * 0.7 + 0.3`} button="Add" check={(text) => (/^[^:]+: .+/.test(text) ? "" : "Write a name, a colon, and a formula.")} onSubmit={(text) => (set([...mine, text]), close())} />
        </>
      )}
    </Menu>
  );
}

function scoreSql(name: string): string {
  return `scores['${name.replace(/\\/g, "\\\\").replace(/'/g, "\\'")}']`;
}

export function MoreFields({ state }: { state: CompareState }) {
  const mine = Object.keys(state.columns);
  return (
    <Menu align="right" label="Columns" button={<Icon name="columns" />}>
      {(close) => (
        <>
          {mine.map((sql) => <MenuItem key={sql} icon="close" onClick={() => change({ c: mine.filter((one) => one !== sql) })}>{sql}</MenuItem>)}
          <SqlForm label="Column, in SQL" hint="metadata['topic']" button="Add" onSubmit={(sql) => (change({ c: [...mine, sql] }), close())} />
        </>
      )}
    </Menu>
  );
}

function SqlForm(props: { label: string; hint: string; button: string; check?: (text: string) => string; onSubmit: (text: string) => void }) {
  const [draft, setDraft] = useState("");
  const fault = draft && props.check ? props.check(draft) : "";
  const submit = (event: Event) => {
    event.preventDefault();
    if (draft.trim() && !fault) props.onSubmit(draft.trim());
  };
  return (
    <form class="menu-form" onSubmit={submit}>
      <label>{props.label} <input spellcheck={false} placeholder={props.hint} value={draft} onInput={(event) => setDraft(event.currentTarget.value)} /></label>
      {fault && <span class="hint">{fault}</span>}
      <Button type="submit" disabled={!draft.trim() || fault !== ""}>{props.button}</Button>
    </form>
  );
}

export function WhereField({ state, error }: { state: CompareState; error: unknown }) {
  const [draft, setDraft] = useState(state.where);
  useEffect(() => setDraft(state.where), [state.where]);
  const apply = (where: string) => change({ f: where.trim() || null });
  return (
    <div class="filter-line">
      <div class="filter-field">
        <Icon name="filter" size={14} />
        <SqlInput isOneLine label="Only cases that meet this SQL condition" hint="Only cases where… scores['correctness'] < 0.5" value={draft} onChange={setDraft} onSubmit={() => apply(draft)} errorAt={error ? errorPosition(error, draft) : null} />
        {state.where && <Button kind="quiet" icon="close" label="All cases" onClick={() => apply("")} />}
      </div>
    </div>
  );
}

const FORMATS = ["csv", "json", "jsonl", "parquet"];

/** Each experiment's rows, and the comparison as it is shown. */
export function exportFiles(state: CompareState, data: Comparison): FileChoice[] {
  const rows = data.experiments.flatMap(({ experiment }) => FORMATS.map((format) => ({ title: experiment.name, hint: format, name: `${experiment.name}.${format}`, load: (signal: AbortSignal) => exported(state.project, experiment.id, format, signal) })));
  return [...rows, { title: "This comparison", hint: "json", name: "comparison.json", load: async () => new Blob([JSON.stringify(data, null, 1)]) }];
}

async function exported(project: string, id: string, format: string, signal: AbortSignal): Promise<Blob> {
  return (await request(`/v1/experiments/${encodeURIComponent(id)}/export?${new URLSearchParams({ project, format })}`, { signal })).blob();
}
