"""Where reviewed rows come from. Calls block: use them in a thread."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Protocol

from spanloop_collector.review.item import ReviewItem

# The condition stands on lines of its own, so that a comment at its end cannot swallow ours.
SELECT_ROWS = """
SELECT id, {trace_id} AS review_trace_id, {object_id} AS review_object_id
FROM {view}
WHERE project = {{project:String}} AND (
{where}
)
ORDER BY created DESC, id
LIMIT {limit}
"""

READ_ROW = """
SELECT {columns}
FROM {{database:Identifier}}.{view}
WHERE project = {{project:String}} AND id = {{id:String}} AND {object_id} = {{object_id:String}}
LIMIT 1
"""

JSON_COLUMNS = ("input", "output", "expected")


@dataclass(frozen=True, slots=True)
class Source:
    """A view whose rows can be reviewed."""

    view: str
    trace_id: str
    """SQL for the row's trace."""
    object_id: str
    """SQL for what contains the row."""
    columns: tuple[str, ...]
    """What a reviewer sees of a row."""


ROW_COLUMNS = ("name", "input", "output", "expected", "error", "scores", "metadata", "tags")

SOURCES = {
    source.view: source
    for source in (
        Source("logs", "trace_id", "''", ROW_COLUMNS),
        Source("eval_rows", "trace_id", "experiment_id", ROW_COLUMNS),
        Source("dataset_rows", "''", "dataset_id", ("input", "expected", "metadata", "tags")),
    )
}


class RowDatabase(Protocol):
    """The store, as far as reading a row needs it."""

    @property
    def database(self) -> str: ...

    def query(self, sql: str, parameters: dict[str, Any] | None = None) -> Any: ...


def selection(source: Source, *, where: str, limit: int) -> str:
    """The statement that chooses rows; `where` comes from outside and is checked with it."""
    return SELECT_ROWS.format(
        trace_id=source.trace_id, object_id=source.object_id, view=source.view, where=where.strip() or "1", limit=limit
    )


def read_row(store: RowDatabase, project: str, item: ReviewItem) -> dict[str, Any] | None:
    """The row behind an item as it is now; None when it is gone."""
    source = SOURCES[item.source]
    sql = READ_ROW.format(
        columns=", ".join((*source.columns, "metadata_json")), view=source.view, object_id=source.object_id
    )
    parameters = {"database": store.database, "project": project, "id": item.row_id, "object_id": item.object_id}
    for row in store.query(sql, parameters).named_results():
        return {name: _value(name, row[name], row["metadata_json"]) for name in source.columns}
    return None


def _value(column: str, value: Any, metadata_json: Collection[str]) -> Any:
    """JSON columns, and those members of metadata that are JSON, as their values; other texts as they are."""
    if column in JSON_COLUMNS:
        return json.loads(value) if value else None
    if column == "metadata":
        return {name: json.loads(text) if name in metadata_json else text for name, text in value.items()}
    return value
