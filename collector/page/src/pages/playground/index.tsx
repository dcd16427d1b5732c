// The playground: variants of a prompt side by side over some inputs. Nothing stays, unless it is saved.
import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { useKey } from "../../lib/keys";
import { useLoaded } from "../../lib/load";
import { place, setQuery } from "../../lib/router";
import { errorReason } from "../../lib/sql";
import { Button, CopyButton, Empty, ErrorBox, Segmented, Spinner, toast, toastError } from "../../ui/basics";
import { type Endpoint, listModels, type Models } from "./api";
import { change, config, isInAddress, keepInStep, letter, MAX_VARIANTS, newId, type Variant } from "./config";
import { configFrom } from "./from";
import { type InputRows, readDataset, readPasted } from "./inputs";
import { type Against, Results } from "./results";
import { cells, forgetAll, progress, runAll, stopAll } from "./runs";
import { SaveDialog } from "./savedialog";
import { ScorersPanel } from "./scorers";
import { InputsPanel } from "./sources";
import { PromptCard } from "./variant";

let shownProject = "";

export default function Playground() {
  const { project } = place.value;
  const models = useLoaded("models", listModels);
  useEffect(() => {
    if (shownProject !== project) forgetAll();
    shownProject = project;
    const stop = keepInStep(project);
    return () => (stop(), stopAll());
  }, [project]);
  if (models.error !== undefined) return <ErrorBox what="The models could not be listed" error={models.error} onRetry={models.reload} />;
  if (!models.data) return <div class="page-loading"><Spinner label="Asking for models" /></div>;
  return models.data.endpoints.length ? <Bench project={project} models={models.data} /> : <NoModels hint={models.data.hint} onRetry={models.reload} />;
}

function Bench({ project, models }: { project: string; models: Models }) {
  const [against, setAgainst] = useState<Against>("none");
  const [isSaving, setSaving] = useState(false);
  const inputs = useInputs(project);
  useLoggedCall(project);
  useEffect(() => complete(models.endpoints), [config.value, models]);
  const { variants } = config.value;
  const { open, done, failed } = progress.value;
  const problem = inputs.problem ?? variants.map((one, at) => problemOf(one, at)).find(Boolean) ?? "";
  const start = () => {
    if (problem || !inputs.data) return void toast(problem || "The inputs are still being read.", "bad");
    try {
      runAll(config.value, inputs.data);
    } catch (error) {
      toastError("Not run", error);
    }
  };
  const add = () => change({ variants: [...variants, { ...variants.at(-1)!, id: newId() }] });
  useKey("Mod+Enter", "Run everything", start);
  useKey("v", "Add a variant", add, variants.length < MAX_VARIANTS);
  useKey("w", "Save as experiments", () => setSaving(true), done + failed > 0 && !open);
  useKey("Escape", "Stop", stopAll, open > 0);
  return (
    <div class="column playground">
      <header class="page-head">
        <h1>Playground</h1>
        <Progress />
        <span class="grow" />
        {cells.value.size > 0 && <Segmented label="Compare the outputs with" value={against} onChange={setAgainst} options={[["none", "Output"], ["expected", "Against expected"], ...(variants.length > 1 ? [["first", "Against A"] as const] : [])]} />}
        {isInAddress.value ? <CopyButton icon="link" label="Copy the address" text={() => location.href} /> : <span class="hint" title="The inputs are too long for an address; make a dataset of them to hand this on.">not in the address</span>}
        <Button icon="plus" label="Add a variant (v)" disabled={variants.length >= MAX_VARIANTS} onClick={add}><span class="wide-only">Variant</span></Button>
        <Button icon="save" disabled={open > 0 || done + failed === 0} onClick={() => setSaving(true)}>Save<span class="wide-only"> as experiment</span></Button>
        {open > 0 ? <Button kind="primary" icon="stop" onClick={stopAll}>Stop</Button> : <Button kind="primary" icon="playground" label="Run everything (Ctrl Enter)" onClick={start}>Run{variants.length > 1 ? " all" : ""}</Button>}
      </header>
      <div class="bench-body">
        <div class="bench-side">
          <InputsPanel project={project} found={inputs} />
          <ScorersPanel project={project} />
        </div>
        <div class="bench-scroll" tabIndex={0} role="region" aria-label="Variants and their outputs">
          <div class="bench" style={{ "--variants": String(variants.length) }}>
            {variants.map((variant, at) => (
              <PromptCard key={variant.id} variant={variant} name={letter(at)} endpoints={models.endpoints} rows={inputs.data?.rows ?? []} canRemove={variants.length > 1} />
            ))}
            <Results against={against} shown={inputs.data} />
          </div>
        </div>
      </div>
      {isSaving && <SaveDialog project={project} onClose={() => setSaving(false)} />}
    </div>
  );
}

function Progress() {
  const { total, open, done, failed, stopped } = progress.value;
  const parts = [`${done} of ${total} done`, failed ? `${failed} failed` : "", stopped ? `${stopped} stopped` : ""];
  return (
    <span class="hint bench-progress" role="status" aria-label="Progress">
      {open > 0 && <span class="spinner" aria-hidden="true" />} {total ? parts.filter(Boolean).join(", ") : "Nothing here is stored until you save it."}
    </span>
  );
}

export interface FoundInputs {
  data: InputRows | undefined;
  problem: string | undefined;
}

function useInputs(project: string): FoundInputs {
  const { inputs } = config.value;
  const isDataset = inputs.kind === "dataset";
  const question = isDataset && inputs.dataset ? JSON.stringify([project, inputs.dataset, inputs.version, inputs.limit]) : null;
  const dataset = useLoaded(question, (signal) => readDataset(project, inputs, signal));
  const pasted = useMemo((): FoundInputs => {
    try {
      return { data: { rows: readPasted(inputs.text, inputs.format) }, problem: undefined };
    } catch (error) {
      return { data: undefined, problem: errorReason(error) };
    }
  }, [inputs.text, inputs.format]);
  if (!isDataset) return pasted;
  if (!inputs.dataset) return { data: undefined, problem: "Choose a dataset." };
  if (dataset.error !== undefined) return { data: undefined, problem: errorReason(dataset.error) };
  return { data: dataset.isLoading ? undefined : dataset.data, problem: dataset.data?.rows.length === 0 ? "The dataset has no rows." : undefined };
}

/** `?from=<trace>.<span>`: goes on from a logged call. */
function useLoggedCall(project: string): void {
  const from = place.value.query.get("from");
  const found = useLoaded(from ? `${project} ${from}` : null, (signal) => configFrom(project, from!, signal));
  useEffect(() => {
    if (!found.data) return;
    forgetAll();
    config.value = found.data;
    setQuery({ from: null }, { replace: true });
  }, [found.data]);
  useEffect(() => {
    if (found.error === undefined) return;
    toastError("The call could not be opened here", found.error);
    setQuery({ from: null }, { replace: true });
  }, [found.error]);
}

const QUICK = /mini|haiku|flash|small|nano/i;

/** Gives variants without an endpoint, or with one that is not here, the likeliest one; and a model. */
function complete(endpoints: Endpoint[]): void {
  const { variants } = config.value;
  const isComplete = (one: Variant) => endpoints.some(({ name }) => name === one.endpoint) && one.model !== "";
  if (variants.every(isComplete)) return;
  const completed = variants.map((one) => {
    const endpoint = endpoints.find(({ name }) => name === one.endpoint) ?? endpoints.find(({ kind }) => kind === (/anthropic|claude/.test(one.endpoint + one.model) ? "anthropic" : "openai")) ?? endpoints[0]!;
    const model = one.model || endpoint.models.find((name) => QUICK.test(name)) || endpoint.models[0] || "";
    return endpoint.name === one.endpoint && model === one.model ? one : { ...one, endpoint: endpoint.name, model };
  });
  if (completed.some((one, at) => one !== variants[at])) change({ variants: completed });
}

function problemOf(variant: Variant, at: number): string {
  const problems: [boolean, string][] = [
    [!variant.model.trim(), "choose a model"],
    [variant.messages.every((message) => !message.content.trim()), "write a message"],
    [variant.temperature !== "" && !Number.isFinite(Number(variant.temperature)), "the temperature is no number"],
    [variant.maxTokens !== "" && !(Number(variant.maxTokens) >= 1), "the tokens are no number"],
  ];
  const found = problems.find(([isSo]) => isSo);
  return found ? `Variant ${letter(at)}: ${found[1]}.` : "";
}

function NoModels({ hint, onRetry }: { hint: string; onRetry: () => void }) {
  return (
    <Empty icon="playground" title="No model to ask yet">
      <p>{hint}</p>
      <Code>{`OPENAI_API_KEY=sk-… spanloop serve`}</Code>
      <p>A model on this machine, or any other server that speaks OpenAI's or Anthropic's format, stands in the collector's config file:</p>
      <Code>{`[playground.endpoints.local]
url = "http://127.0.0.1:11434/v1"

[playground.endpoints.mistral]
url = "https://api.mistral.ai/v1"
api_key = "$MISTRAL_API_KEY"`}</Code>
      <p class="hint">Keys stay in the collector; this page never sees them.</p>
      <Button icon="refresh" onClick={onRetry}>Look again</Button>
    </Empty>
  );
}

function Code({ children }: { children: ComponentChildren }) {
  return <pre class="code">{children}</pre>;
}
