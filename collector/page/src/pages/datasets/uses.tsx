// What was made of a dataset row: the runs of experiments over it, and copies in other datasets.
import { useLoaded } from "../../lib/load";
import { addressOf, place } from "../../lib/router";
import { ErrorBox } from "../../ui/basics";
import { loadLineage } from "../trace/load";

const SHOWN = 20;

export function Uses({ id }: { id: string }) {
  const { project } = place.value;
  const found = useLoaded(`${project} ${id}`, (signal) => loadLineage(project, id, signal));
  if (found.error !== undefined) return <ErrorBox what="The lineage could not be read" error={found.error} />;
  if (!found.data?.uses.length) return null;
  // Every trial is a row of its own: the first one leads to the case.
  const uses = found.data.uses.filter((step, at, all) => all.findIndex((other) => other.to_object_id === step.to_object_id) === at);
  return (
    <section aria-label="Uses of the row">
      <h3 class="section-title">Used by</h3>
      <ul class="lineage">
        {uses.slice(0, SHOWN).map((step) => (
          <li key={step.to_object_id + step.to_id}>
            <a href={addressOf(`${step.to_type === "experiment" ? "experiments" : "datasets"}/${step.to_name || step.to_object_id}`, { row: step.to_id })}>{step.to_type} {step.to_name || step.to_object_id}</a>
          </li>
        ))}
      </ul>
    </section>
  );
}
