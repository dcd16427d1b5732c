"""An experiment's cases as a file: CSV, JSON, JSON lines or Parquet, made by ClickHouse."""

from __future__ import annotations

from collections.abc import AsyncIterator

from spanloop_collector.api.row_input import invalid
from spanloop_collector.experiments.record import Experiment
from spanloop_collector.keys.principal import Principal
from spanloop_collector.query.catalog import sql_text
from spanloop_collector.query.queries import Queries

PIECE_BYTES = 1024 * 1024
FORMATS = {"csv": "CSVWithNames", "json": "JSON", "jsonl": "JSONEachRow", "parquet": "Parquet"}

CASES = """
SELECT run.id AS id, trace_id, input, output, expected, error, scores, later_scores, metrics, metadata, tags,
    run.created AS created, origin, duration
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
    sql = CASES.format(project=sql_text(experiment.project), experiment=sql_text(experiment.id))
    result = await queries.run(sql, principal=principal, default_format=name)
    view = memoryview(result.data)
    for start in range(0, len(view), PIECE_BYTES):
        yield bytes(view[start : start + PIECE_BYTES])
