"""Rows that exist, read back whole so that they can be written again. Calls block: use them in a thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from spanloop_collector.api.json_codec import parse_json
from spanloop_collector.api.row import Event, Json, Link, RowIds, SpanFacts, StoredRow

# Times as numbers: a datetime would lose their nanoseconds.
READ_ROWS = """
SELECT
    id,
    trace_id,
    span_id,
    parent_id,
    name,
    type,
    input,
    output,
    expected,
    error,
    scores,
    online_scores,
    metrics,
    metadata,
    metadata_json,
    tags,
    origin,
    toUnixTimestamp64Nano(created) AS start_unix_nano,
    toUnixTimestamp64Nano(end_time) AS end_unix_nano,
    kind,
    status_code,
    trace_state,
    scope_name,
    scope_version,
    resource,
    arrayMap(event -> (toUnixTimestamp64Nano(event.1), event.2, event.3), events) AS events,
    arrayMap(link -> (link.1, link.2, link.3, link.4), links) AS links
FROM {database:Identifier}.logs
WHERE project = {project:String} AND id IN {ids:Array(String)}
"""


class RowDatabase(Protocol):
    """The store, as far as reading rows needs it."""

    @property
    def database(self) -> str: ...

    def query(self, sql: str, parameters: dict[str, Any] | None = None) -> Any: ...


class RowLookup:
    """Finds rows by project and id."""

    def __init__(self, store: RowDatabase) -> None:
        self._store = store

    def find(self, project: str, ids: Sequence[str]) -> dict[str, StoredRow]:
        """The rows of a project by their ids; ids without a row are left out."""
        parameters = {"database": self._store.database, "project": project, "ids": list(ids)}
        rows = self._store.query(READ_ROWS, parameters).named_results()
        return {row["id"]: _stored_row(project, row) for row in rows}


def _stored_row(project: str, row: Mapping[str, Any]) -> StoredRow:
    return StoredRow(
        ids=RowIds(project, row["id"], row["trace_id"], row["span_id"], row["start_unix_nano"]),
        parent_id=row["parent_id"],
        end_unix_nano=row["end_unix_nano"],
        name=row["name"],
        type=row["type"],
        fields=_fields(row),
        span=SpanFacts(
            kind=row["kind"],
            status_code=row["status_code"],
            trace_state=row["trace_state"],
            scope_name=row["scope_name"],
            scope_version=row["scope_version"],
            resource=row["resource"],
            events=tuple(Event(*event) for event in _tuples(row["events"])),
            links=tuple(Link(*link) for link in _tuples(row["links"])),
        ),
    )


def _fields(row: Mapping[str, Any]) -> dict[str, Json]:
    fields: dict[str, Json] = {
        name: parse_json(row[name]) for name in ("input", "output", "expected", "origin") if row[name]
    }
    fields["metrics"] = {name: value for name, value in row["metrics"].items() if name not in ("start", "end")}
    fields["metadata"] = _metadata(row["metadata"], row["metadata_json"])
    fields |= {name: row[name] for name in ("error", "scores", "online_scores", "tags")}
    return {name: value for name, value in fields.items() if value or name in ("input", "output", "expected")}


def _metadata(texts: Mapping[str, str], json_keys: Sequence[str]) -> dict[str, Json]:
    """The values behind the texts; `json_keys` says which are more than strings."""
    return {name: parse_json(text) if name in json_keys else text for name, text in texts.items()}


def _tuples(items: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Tuples as tuples; clickhouse-connect makes dicts of those whose elements have names."""
    return [tuple(item.values()) if isinstance(item, dict) else tuple(item) for item in items]
