"""An experiment's cases as a file: CSV, JSON, JSON lines or Parquet."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from spanloop_collector.errors import invalid
from spanloop_collector.experiments.record import Experiment
from spanloop_collector.keys.principal import Principal
from spanloop_collector.query.queries import Queries
from spanloop_collector.schema.fragments import sql_text

PIECE_BYTES = 1024 * 1024
FORMATS = {"csv": "CSVWithNames", "json": "JSONEachRow", "jsonl": "JSONEachRow", "parquet": "Parquet"}
MAPS_AS_JSON = ", ".join(
    f"toJSONString({name}) AS {name}" for name in ("scores", "later_scores", "metrics", "metadata", "tags")
)
"""As text a map would be ClickHouse's own notation."""
JSON_COLUMNS = ("input", "output", "expected", "origin")

CASES = """
SELECT run.id AS id, trace_id, input, output, expected, error, scores, later_scores, metrics, metadata,
    {metadata_json} tags, run.created AS created, origin, duration
FROM eval_rows AS run
LEFT JOIN
(
    SELECT id, CAST((groupArray(name), groupArray(assumeNotNull(score))), 'Map(String, Float64)') AS later_scores
    FROM experiment_scores
    WHERE project = {project} AND experiment_id = {experiment} AND isNotNull(score)
    GROUP BY id
) AS later ON run.id = later.id
WHERE run.project = {project} AND run.experiment_id = {experiment} AND parent_id = ''
ORDER BY created, id
"""


async def export(
    experiment: Experiment, format: str, *, queries: Queries, principal: Principal
) -> AsyncIterator[bytes]:
    """The file in pieces."""
    name = FORMATS.get(format or "jsonl")
    if name is None:
        raise invalid("format", f"{format!r} is not one of {', '.join(FORMATS)}")
    is_json = name == "JSONEachRow"
    sql = CASES.format(
        project=sql_text(experiment.project),
        experiment=sql_text(experiment.id),
        metadata_json="metadata_json," if is_json else "",
    )
    if name == "CSVWithNames":
        sql = f"SELECT * REPLACE ({MAPS_AS_JSON}) FROM ({sql})"
    data = (await queries.run(sql, principal=principal, default_format=name)).data
    if is_json:
        data = await asyncio.to_thread(_with_values, data, is_array=format == "json")
    view = memoryview(data)
    for start in range(0, len(view), PIECE_BYTES):
        yield bytes(view[start : start + PIECE_BYTES])


def _with_values(lines: bytes, *, is_array: bool) -> bytes:
    """The rows with JSON values in the place of JSON text, as datasets are exported and imported."""
    rows = [_row(json.loads(line)) for line in lines.splitlines()]
    text = (",\n" if is_array else "\n").join(json.dumps(row, ensure_ascii=False) for row in rows)
    return (f"[\n{text}\n]\n" if is_array else f"{text}\n" if rows else "").encode()


def _row(row: dict[str, Any]) -> dict[str, Any]:
    is_json = set(row.pop("metadata_json"))
    row["metadata"] = {name: json.loads(text) if name in is_json else text for name, text in row["metadata"].items()}
    return row | {name: json.loads(row[name]) if row[name] else None for name in JSON_COLUMNS}
