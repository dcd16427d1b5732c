// Trees of variants: a baseline, and what each single change on top of it made of the pass rate.
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { counted } from "../../lib/format";
import { useLoaded } from "../../lib/load";
import { place, setQuery } from "../../lib/router";
import { Button, Empty, ErrorBox, Field, Menu, Spinner, toast, toastError } from "../../ui/basics";
import { parseJson } from "../../ui/json";
import { addVariant, listVariantExperiments, runVariant, type Variant, type VariantExperiment } from "./api";

const BASELINE = "baseline";
const PARAMETERS = ["system", "temperature", "top_p", "max_tokens", "model", "verbosity"];
const RUNNING_MS = 1500;

export function VariantTrees({ tabs }: { tabs: ComponentChildren }) {
  const { project, query } = place.value;
  const found = useLoaded(project, (signal) => listVariantExperiments(project, signal));
  const shown = found.data?.find((one) => one.name === query.get("v")) ?? found.data?.[0];
  const isRunning = shown?.status.startsWith("running") ?? false;
  useEffect(() => {
    if (!isRunning) return;
    const again = setTimeout(found.reload, RUNNING_MS);
    return () => clearTimeout(again);
  }, [isRunning, found.data]);
  return (
    <div class="experiments column">
      <header class="page-head">
        <h1>Experiments</h1>
        {tabs}
        <span class="grow" />
        {found.data && found.data.length > 1 && (
          <select aria-label="Which tree" value={shown?.name} onChange={(event) => setQuery({ v: event.currentTarget.value })}>
            {found.data.map((one) => <option key={one.name}>{one.name}</option>)}
          </select>
        )}
        <Button icon="refresh" label="Ask again" onClick={found.reload} />
      </header>
      {found.error !== undefined && <ErrorBox what="The variants could not be read" error={found.error} onRetry={found.reload} />}
      {!found.data && found.isLoading && <div class="page-loading"><Spinner /></div>}
      {found.data?.length === 0 && <NoVariants />}
      {shown && <Tree experiment={shown} reload={found.reload} />}
    </div>
  );
}

function Tree({ experiment, reload }: { experiment: VariantExperiment; reload: () => void }) {
  const { variants } = experiment;
  return (
    <div class="report variant-tree">
      <header class="row-start">
        <h2>{experiment.name}</h2>
        <span class="tag">{experiment.status.replaceAll("_", " ")}</span>
        {experiment.status.startsWith("running") && <Spinner label="Running" />}
        <span class="hint">{counted(experiment.task_count, "task")}, steps {experiment.steps.join(", ")}</span>
      </header>
      {experiment.description && <p>{experiment.description}</p>}
      {variants.length ? <ul role="tree" aria-label="Variants">{variants.filter((one) => !one.parent).map((one) => <Node key={one.name} experiment={experiment} variant={one} depth={0} reload={reload} />)}</ul> : <p class="hint">The baseline has not run yet: <code>spanloop variants baseline "{experiment.name}"</code></p>}
    </div>
  );
}

function Node({ experiment, variant, depth, reload }: { experiment: VariantExperiment; variant: Variant; depth: number; reload: () => void }) {
  const children = experiment.variants.filter((one) => one.parent === variant.name && one.name !== variant.name);
  return (
    <li role="treeitem" aria-level={depth + 1}>
      <div class="variant">
        <span class="two-lines grow">
          <strong class="ellipsis">{variant.name}</strong>
          <span class="hint ellipsis">{variant.parameter ? `${variant.step}: ${variant.parameter} = ${JSON.stringify(variant.value)}` : "the application as it is"}</span>
        </span>
        <Outcome variant={variant} />
        <Actions experiment={experiment} variant={variant} reload={reload} />
      </div>
      {children.length > 0 && <ul role="group">{children.map((one) => <Node key={one.name} experiment={experiment} variant={one} depth={depth + 1} reload={reload} />)}</ul>}
    </li>
  );
}

function Outcome({ variant }: { variant: Variant }) {
  const { outcome } = variant;
  if (!outcome) return <span class="hint variant-outcome">not run yet</span>;
  const change = outcome.against_baseline;
  const kind = change === undefined || change === 0 ? "" : change > 0 ? "good" : "bad";
  return (
    <span class="variant-outcome">
      <span class="variant-rate" role="img" aria-label={`${outcome.pass_rate.toFixed(0)}% passed`}><span style={{ width: `${outcome.pass_rate}%` }} /></span>
      <strong class="number">{outcome.pass_rate.toFixed(0)}%</strong>
      <span class="hint number">{outcome.passed} of {outcome.total}</span>
      {change !== undefined && <span class={`number delta ${kind}`} title="Relative change of the pass rate against the baseline's">{change > 0 ? "+" : change < 0 ? "−" : "±"}{Math.abs(change).toFixed(0)}% against the baseline</span>}
    </span>
  );
}

function Actions({ experiment, variant, reload }: { experiment: VariantExperiment; variant: Variant; reload: () => void }) {
  const isIdle = ["idle", "baseline_complete"].includes(experiment.status);
  const run = async () => {
    try {
      await runVariant(place.value.project, experiment.name, variant.name);
      reload();
    } catch (error) {
      toastError("The variant did not start", error);
    }
  };
  return (
    <span class="row-start">
      {variant.name !== BASELINE && <Button disabled={!isIdle} icon="playground" label={`Run ${variant.name}`} onClick={run} />}
      {isIdle && <Menu align="right" kind="quiet" label={`Add a variant of ${variant.name}`} button="+ Variant">{(close) => <NewVariant experiment={experiment} parent={variant.name} onDone={() => (close(), reload())} />}</Menu>}
    </span>
  );
}

function NewVariant({ experiment, parent, onDone }: { experiment: VariantExperiment; parent: string; onDone: () => void }) {
  const [name, setName] = useState("");
  const [step, setStep] = useState(experiment.steps[0] ?? "");
  const [parameter, setParameter] = useState("temperature");
  const [value, setValue] = useState("");
  const add = async (event: Event) => {
    event.preventDefault();
    try {
      await addVariant(place.value.project, experiment.name, { variant: name.trim(), parent: parent === BASELINE ? "" : parent, step, parameter, value: parseJson(value) });
      toast(`${name.trim()} is added; run it to see what it does`);
      onDone();
    } catch (error) {
      toastError("The variant was not added", error);
    }
  };
  return (
    <form class="menu-form" onSubmit={add}>
      <Field label="Name">{(id) => <input id={id} required value={name} onInput={(event) => setName(event.currentTarget.value)} />}</Field>
      <Field label="Step">{(id) => <select id={id} value={step} onChange={(event) => setStep(event.currentTarget.value)}>{experiment.steps.map((one) => <option key={one}>{one}</option>)}</select>}</Field>
      <Field label="Parameter">{(id) => <select id={id} value={parameter} onChange={(event) => setParameter(event.currentTarget.value)}>{PARAMETERS.map((one) => <option key={one}>{one}</option>)}</select>}</Field>
      <Field label="Value" hint="JSON, or text as it is.">{(id) => <input id={id} required value={value} onInput={(event) => setValue(event.currentTarget.value)} />}</Field>
      <Button type="submit" kind="primary" disabled={!name.trim() || !value}>Add</Button>
    </form>
  );
}

function NoVariants() {
  return (
    <Empty icon="tree" title="No variants yet">
      <p>A baseline runs your own application over fixed tasks; every variant changes one parameter and runs the same tasks again.</p>
      <pre class="code">{`spanloop variants create "tone of voice" --step answer --url https://app.example/tests
spanloop variants tasks "tone of voice" --where "dataset = 'golden answers'"
spanloop variants baseline "tone of voice"`}</pre>
    </Empty>
  );
}
