// The rows of a dataset: searched in SQL, opened beside the list, edited in place.
import { useEffect, useState } from "preact/hooks";
import { ago, counted, parseTime } from "../../lib/format";
import { useKey } from "../../lib/keys";
import { useLoaded } from "../../lib/load";
import { place, setQuery } from "../../lib/router";
import { askRows, text } from "../../lib/sql";
import { Button, Empty, ErrorBox, Spinner } from "../../ui/basics";
import { Grid, type GridColumn } from "../../ui/grid";
import { Icon } from "../../ui/icons";
import { type Dataset, fetchRows } from "./api";
import { RowPanel } from "./row";

const PAGE_ROWS = 500;
const PREVIEW_CHARACTERS = 400;
export const NEW_ROW = "new";

interface Line {
  id: string;
  input_start: string;
  expected_start: string;
  tags: string[];
  changed: string;
  source: string;
}

interface Props {
  dataset: Dataset;
  /** Empty for the newest. */
  version: string;
  onChanged: () => void;
}

const COLUMNS: GridColumn<Line>[] = [
  { id: "input", title: "Input", width: 0, cell: (row) => <span class="preview">{row.input_start}</span> },
  { id: "expected", title: "Expected", width: 0, cell: (row) => <span class="preview">{row.expected_start}</span> },
  { id: "tags", title: "Tags", width: 110, cell: (row) => row.tags.map((tag) => <span class="tag" key={tag}>{tag}</span>) },
  { id: "source", title: "From", width: 110, cell: (row) => <span class="hint">{SOURCES[row.source] ?? row.source}</span> },
  { id: "changed", title: "Changed", width: 100, cell: (row) => <time>{row.changed && ago(parseTime(row.changed))}</time> },
];

const SOURCES: Record<string, string> = { project_logs: "production", experiment: "an experiment", dataset: "a dataset" };

export function Rows({ dataset, version, onChanged }: Props) {
  const search = place.value.query.get("q") ?? "";
  const open = place.value.query.get("row");
  const { lines, error, isLoading, more, reload } = useLines(dataset, version, search);
  useKey("n", "New row", () => setQuery({ row: NEW_ROW }), !version);
  useKey("Escape", "Close the row", () => setQuery({ row: null }), open !== null);
  return (
    <>
      <div class="filter-line">
        <label class="search-field wide">
          <Icon name="search" size={14} />
          <input type="search" aria-label="Find rows" placeholder="Find rows" value={search} disabled={version !== ""} onInput={(event) => setQuery({ q: event.currentTarget.value || null }, { replace: true })} />
        </label>
        {version && <span class="chip wrong"><span class="chip-text">version {version}</span><button type="button" class="chip-close" aria-label="Back to the newest version" onClick={() => setQuery({ version: null })}><Icon name="close" size={12} /></button></span>}
        <span class="grow" />
        {!version && <Button icon="plus" onClick={() => setQuery({ row: NEW_ROW })}>New row</Button>}
      </div>
      {error !== undefined && <ErrorBox what="The rows could not be read" error={error} onRetry={reload} />}
      <div class="split">
        <div class="split-list">
          {lines.length > 0 && (
            <Grid label="Rows of the dataset" columns={COLUMNS} rows={lines} rowHeight={38} keyOf={(row) => row.id} openKey={open ?? undefined} onOpen={(row) => setQuery({ row: row.id }, { replace: open !== null })} onEnd={more} footer={<p class="list-end hint">{isLoading ? <Spinner /> : counted(lines.length, "row")}</p>} />
          )}
          {!lines.length && isLoading && <div class="page-loading"><Spinner /></div>}
          {!lines.length && !isLoading && error === undefined && <NoRows dataset={dataset} search={search} />}
        </div>
        {open !== null && <RowPanel key={`${open} ${dataset.version}`} dataset={dataset} version={version} id={open === NEW_ROW ? "" : open} onChanged={onChanged} />}
      </div>
    </>
  );
}

/** Lines of the list, page after page. */
function useLines(dataset: Dataset, version: string, search: string) {
  const [pages, setPages] = useState(1);
  useEffect(() => setPages(1), [search]);
  const load = (signal: AbortSignal) => (version ? earlierLines(dataset, version, signal) : newestLines(dataset, search, pages * PAGE_ROWS, signal));
  const found = useLoaded(`${dataset.id} ${dataset.version} ${version} ${search} ${pages}`, load);
  const lines = found.data ?? [];
  const more = () => {
    if (!version && !found.isLoading && lines.length === pages * PAGE_ROWS) setPages(pages * 2);
  };
  return { lines, error: found.error, isLoading: found.isLoading, more, reload: found.reload };
}

function newestLines(dataset: Dataset, search: string, limit: number, signal: AbortSignal): Promise<Line[]> {
  const wanted = text(search);
  const matches = search ? ` AND (positionCaseInsensitiveUTF8(input, ${wanted}) OR positionCaseInsensitiveUTF8(expected, ${wanted}) OR positionCaseInsensitiveUTF8(toString(metadata), ${wanted}) OR has(tags, ${wanted}) OR id = ${wanted})` : "";
  // Texts read best without the quotes that they have as JSON.
  const preview = (name: string) => `leftUTF8(if(startsWith(${name}, '"'), JSONExtractString(${name}), ${name}), ${PREVIEW_CHARACTERS}) AS ${name}_start`;
  const fields = `id, ${preview("input")}, ${preview("expected")}, tags, changed, JSONExtractString(origin, 'object_type') AS source`;
  const rows = `SELECT * FROM dataset_rows WHERE dataset_id = ${text(dataset.id)}${matches} ORDER BY created, id LIMIT ${limit}`;
  return askRows<Line>(`SELECT ${fields} FROM (${rows})`, { signal });
}

async function earlierLines(dataset: Dataset, version: string, signal: AbortSignal): Promise<Line[]> {
  const { rows } = await fetchRows(dataset.id, { version }, signal);
  const shown = (value: unknown) => (typeof value === "string" ? value : (JSON.stringify(value) ?? "")).slice(0, PREVIEW_CHARACTERS);
  return rows.map((row) => ({ id: row.id, input_start: shown(row.input), expected_start: shown(row.expected), tags: row.tags ?? [], changed: (row.created ?? "").replace("Z", ""), source: row.origin?.object_type ?? "" }));
}

function NoRows({ dataset, search }: { dataset: Dataset; search: string }) {
  if (search) return <Empty icon="search" title="No row has this text"><p><Button onClick={() => setQuery({ q: null })}>All rows</Button></p></Empty>;
  return (
    <Empty icon="datasets" title="This dataset is empty">
      <p>Drop a CSV or JSON file here, write a row, take rows from the logs, or from a terminal:</p>
      <pre class="code">{`spanloop promote --to "${dataset.name}" --where "is_root AND error = ''" --limit 100`}</pre>
    </Empty>
  );
}
