// The most frequent values of a few fields; a click keeps only those rows.
import { count } from "../../lib/format";
import { useLoaded } from "../../lib/load";
import { remembered } from "../../lib/session";
import { text } from "../../lib/sql";
import { ErrorBox, Spinner } from "../../ui/basics";
import { Icon } from "../../ui/icons";
import { loadFacet } from "./queries";
import { type LogsState, questionOf } from "./state";

interface Facet {
  title: string;
  sql: string;
  isList?: boolean;
}

const FACETS: Facet[] = [
  { title: "Type", sql: "type" },
  { title: "Name", sql: "name" },
  { title: "Model", sql: "model" },
  { title: "Tag", sql: "tags", isList: true },
  { title: "Score", sql: "mapKeys(scores)", isList: true },
  { title: "User", sql: "metadata['user_id']" },
  { title: "Session", sql: "metadata['session_id']" },
  { title: "Environment", sql: "metadata['environment']" },
  { title: "Error", sql: "substring(error, 1, 80)" },
];

const open = remembered<string[]>("logs.facets", ["Type", "Model"]);

export function Facets({ state, onFilter }: { state: LogsState; onFilter: (condition: string) => void }) {
  return (
    <aside class="facets" aria-label="Frequent values">
      {FACETS.map((facet) => (
        <FacetView key={facet.title} facet={facet} state={state} onFilter={onFilter} />
      ))}
    </aside>
  );
}

function FacetView({ facet, state, onFilter }: { facet: Facet; state: LogsState; onFilter: (condition: string) => void }) {
  const isOpen = open.value.includes(facet.title);
  const question = isOpen ? questionOf(state) + facet.sql : null;
  const values = useLoaded(question, (signal) => loadFacet(state, facet.sql, facet.isList ?? false, signal));
  const toggle = () => (open.value = isOpen ? open.value.filter((title) => title !== facet.title) : [...open.value, facet.title]);
  const condition = (value: string) => (facet.isList ? `has(${facet.sql}, ${text(value)})` : `${facet.sql} = ${text(value)}`);
  const most = values.data?.[0]?.count ?? 1;
  return (
    <section>
      <button type="button" class="facet-title" aria-expanded={isOpen} onClick={toggle}>
        <Icon name={isOpen ? "down" : "right"} size={12} />
        {facet.title}
        {values.isLoading && <Spinner />}
      </button>
      {values.error !== undefined && <ErrorBox error={values.error} />}
      {values.data?.length === 0 && <p class="hint">none in this range</p>}
      {values.data?.map(({ value, count: n }) => (
        <button type="button" class="facet-value" key={value} title={`Only ${value}; with Shift, all others`} onClick={(event) => onFilter(event.shiftKey ? `NOT (${condition(value)})` : condition(value))}>
          <span class="facet-bar" style={{ width: `${(n / most) * 100}%` }} />
          <span class="ellipsis grow">{value}</span>
          <span class="number hint">{count(n)}</span>
        </button>
      ))}
    </section>
  );
}
