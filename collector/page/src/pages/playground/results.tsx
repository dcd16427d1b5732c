// Below the prompts: what each variant came to on the whole, then its output for every input.
import type { Signal } from "@preact/signals";
import { dollars, duration, score } from "../../lib/format";
import { JsonTree, LongText } from "../../ui/json";
import { grade } from "../logs/cells";
import { OutputCell } from "./cell";
import { config, letter } from "./config";
import type { InputRow, InputRows } from "./inputs";
import { type Cell, cells, keyOf } from "./runs";
import { VariantSign } from "./variant";

export type Against = "none" | "expected" | "first";

export function Results({ against, shown }: { against: Against; shown: InputRows | undefined }) {
  const { variants } = config.value;
  const all = cells.value;
  // Of the last run; before the first, the inputs as they would run.
  const rows = all.size ? rowsOf(all) : (shown?.rows ?? []);
  return (
    <>
      {variants.map((variant, at) => (
        <div key={variant.id} class="bench-head">
          <VariantSign name={letter(at)} />
          <Summary cells={rows.flatMap((_, row) => all.get(keyOf(variant.id, row)) ?? [])} model={variant.model} />
        </div>
      ))}
      {placesOf(rows).map((place, at) => (
        <Row key={at} row={rows[at]!} place={place} at={at} against={against} all={all} />
      ))}
    </>
  );
}

function rowsOf(all: ReadonlyMap<string, Signal<Cell>>): InputRow[] {
  const rows: InputRow[] = [];
  for (const [key, cell] of all) rows[Number(key.split(" ")[1])] ??= cell.peek().row;
  return rows;
}

interface Place {
  /** From 1. */
  input: number;
  /** From 1: trials of an input follow each other. */
  trial: number;
}

function placesOf(rows: InputRow[]): Place[] {
  const places: Place[] = [];
  rows.forEach((row, at) => {
    const before = places[at - 1] ?? { input: 0, trial: 0 };
    places.push(at > 0 && row === rows[at - 1] ? { input: before.input, trial: before.trial + 1 } : { input: before.input + 1, trial: 1 });
  });
  return places;
}

function Row({ row, place: { input, trial }, at, against, all }: { row: InputRow; place: Place; at: number; against: Against; all: ReadonlyMap<string, Signal<Cell>> }) {
  const { variants, scorers } = config.value;
  const first = all.get(keyOf(variants[0]!.id, at));
  return (
    <>
      {trial === 1 && <InputLine row={row} number={input} />}
      {variants.map((variant, place) => {
        const cell = all.get(keyOf(variant.id, at));
        const name = `Output of ${letter(place)} for input ${input}${trial > 1 ? `, trial ${trial}` : ""}`;
        if (!cell) return <div key={variant.id} class="output-cell empty-cell" aria-label={name} role="group" />;
        const before = against === "first" && place > 0 ? first : undefined;
        return <OutputCell key={variant.id} cell={cell} name={name} variant={variant} scorers={scorers} at={at} before={before} isAgainstExpected={against === "expected"} />;
      })}
    </>
  );
}

/** What goes in, above what comes out. */
function InputLine({ row, number }: { row: InputRow; number: number }) {
  return (
    <div class="input-line" role="group" aria-label={`Input ${number}`}>
      <span class="input-number">{number}</span>
      <Shown value={row.input} otherwise="no input" />
      {row.expected !== undefined && (
        <>
          <span class="hint">expected</span>
          <Shown value={row.expected} otherwise="" />
        </>
      )}
    </div>
  );
}

function Shown({ value, otherwise }: { value: unknown; otherwise: string }) {
  if (value === undefined) return <span class="hint">{otherwise}</span>;
  return <div class="input-value">{typeof value === "string" ? <LongText text={value} /> : <JsonTree value={value} depth={2} />}</div>;
}

/** Means over what is done. */
function Summary({ cells: of, model }: { cells: Signal<Cell>[]; model: string }) {
  const ended = of.map((cell) => cell.value).filter((cell) => cell.status === "done");
  const failed = of.filter((cell) => cell.value.status === "failed").length;
  if (!ended.length && !failed) return <span class="ellipsis">{model || "no model"}</span>;
  const mean = (values: (number | undefined)[]) => {
    const known = values.filter((value) => value !== undefined);
    return known.length ? known.reduce((sum, value) => sum + value, 0) / known.length : undefined;
  };
  const names = [...new Set(ended.flatMap((cell) => cell.scores.map((one) => one.name)))];
  const cost = ended.reduce((sum, cell) => sum + (cell.end?.cost ?? 0), 0);
  const seconds = mean(ended.map((cell) => cell.end?.duration));
  const first = mean(ended.map((cell) => cell.end?.time_to_first_token));
  return (
    <div class="bench-summary">
      <span class="ellipsis">{model}</span>
      {names.map((name) => {
        const value = mean(ended.map((cell) => cell.scores.find((one) => one.name === name)?.score));
        return value === undefined ? null : <span key={name} class={`score ${grade(value)}`} title={`Mean of ${name}`}><span class="score-name">{name}</span> {score(value)}</span>;
      })}
      {failed > 0 && <span class="bad">{failed} failed</span>}
      <span class="hint">{[seconds === undefined ? "" : `${duration(seconds)} each`, first === undefined ? "" : `first word ${duration(first)}`, cost ? dollars(cost) : ""].filter(Boolean).join(" · ")}</span>
    </div>
  );
}
