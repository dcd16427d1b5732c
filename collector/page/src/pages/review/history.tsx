// What became of an item so far: who did what, when.
import { moment, parseTime } from "../../lib/format";
import { useLoaded } from "../../lib/load";
import { ErrorBox } from "../../ui/basics";
import { loadHistory } from "./api";

export function History({ project, id, version }: { project: string; id: string; version: number }) {
  const found = useLoaded(`${project} ${id} ${version}`, (signal) => loadHistory(project, id, signal));
  if (found.error !== undefined) return <ErrorBox what="The history could not be read" error={found.error} />;
  return (
    <details class="review-history">
      <summary class="hint">History{found.data && ` ${found.data.length}`}</summary>
      <ol class="events" aria-label="History">
        {found.data?.map((step, at) => (
          <li key={at}><time>{moment(parseTime(step.time))}</time> <span>{step.action} by {step.actor}{step.comment && `: ${step.comment}`}</span></li>
        ))}
      </ol>
    </details>
  );
}
