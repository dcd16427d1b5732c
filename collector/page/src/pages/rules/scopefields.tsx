// What is scored: spans, whole traces, or groups of traces.
import { Field, Segmented } from "../../ui/basics";
import type { Draft } from "./draft";
import { Fault, SqlField } from "./form";

type ScopeDraft = Draft["scope"];

interface Props {
  scope: ScopeDraft;
  error: unknown;
  onChange: (scope: ScopeDraft) => void;
  onSubmit: () => void;
}

const TYPES = [["span", "Spans"], ["trace", "Whole traces"], ["group", "Groups"]] as const;
const EXPLAINED = {
  span: "Each row that matches is scored by itself, once it is finished.",
  trace: "A trace with a row that matches is scored as a whole; scorers see all of its spans.",
  group: "Traces that share a value, such as a session, are scored together.",
};

export function ScopeFields(props: Props) {
  const { scope, error, onChange } = props;
  const set = (part: Partial<ScopeDraft>) => onChange({ ...scope, ...part });
  return (
    <>
      <div class="field">
        <span class="field-label">What is scored</span>
        <div><Segmented label="What is scored" value={scope.type} onChange={(type) => set({ type })} options={TYPES} /></div>
        <p class="hint">{EXPLAINED[scope.type]}</p>
      </div>
      {scope.type === "span" && <SpanFields scope={scope} set={set} />}
      {scope.type === "group" && <GroupFields {...props} set={set} />}
      {scope.type !== "span" && <NumberField label="Seconds without a new span before it is scored" value={scope.idle_seconds} onChange={(idle_seconds) => set({ idle_seconds })} />}
      {["type", "span_names", "idle_seconds", "placement", "interval_seconds", "max_traces"].map((name) => <Fault key={name} error={error} field={`rule.scope.${name}`} />)}
    </>
  );
}

function SpanFields({ scope, set }: { scope: ScopeDraft; set: (part: Partial<ScopeDraft>) => void }) {
  return (
    <div class="fields-row">
      <label class="check"><input type="checkbox" checked={scope.root_spans} onChange={(event) => set({ root_spans: event.currentTarget.checked })} /> Only root spans</label>
      <Field label="and spans of these names, with commas between them">{(id) => <input id={id} placeholder={scope.root_spans ? "none" : "any"} value={scope.span_names} onInput={(event) => set({ span_names: event.currentTarget.value })} />}</Field>
    </div>
  );
}

function GroupFields({ scope, error, set, onSubmit }: Props & { set: (part: Partial<ScopeDraft>) => void }) {
  return (
    <>
      <SqlField label="Grouped by, in SQL or as a path" hint="metadata.session_id" field="rule.scope.group_by" error={error} value={scope.group_by} onChange={(group_by) => set({ group_by })} onSubmit={onSubmit} />
      <div class="fields-row">
        <Field label="Scored">
          {(id) => (
            <select id={id} value={scope.placement} onChange={(event) => set({ placement: event.currentTarget.value as "first" | "each" })}>
              <option value="first">once</option>
              <option value="each">once in every interval</option>
            </select>
          )}
        </Field>
        {scope.placement === "each" && <NumberField label="Interval in seconds" value={scope.interval_seconds} onChange={(interval_seconds) => set({ interval_seconds })} />}
        <NumberField label="Newest traces that a scorer sees, at most 64" value={scope.max_traces} onChange={(max_traces) => set({ max_traces })} />
      </div>
    </>
  );
}

export function NumberField({ label, value, onChange, hint }: { label: string; value: number; onChange: (value: number) => void; hint?: string }) {
  return <Field label={label} {...(hint ? { hint } : {})}>{(id) => <input id={id} type="number" min={0} step="any" value={value} onInput={(event) => onChange(Number(event.currentTarget.value) || 0)} />}</Field>;
}
