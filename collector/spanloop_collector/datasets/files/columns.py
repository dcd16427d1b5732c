"""Records of files as dataset rows: which column becomes which field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spanloop_collector.errors import ConfigError

Record = Mapping[str, Any]

FIELDS = ("id", "input", "expected", "metadata", "tags", "origin")
NOT_READ = ("created", "version", "_xact_id")
"""Columns of an export that the collector gives anew."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of columns by field; a field without one has the column of its own name."""

    id: str = ""
    input: Sequence[str] = ()
    """Several become an object."""
    expected: Sequence[str] = ()
    metadata: Sequence[str] | None = None
    """None takes every column that is not used otherwise."""
    tags: str = ""


def to_row(record: Record, columns: Columns, *, where: str) -> dict[str, Any]:
    """The record as a dataset row; raises ConfigError naming a column that is not there."""
    row: dict[str, Any] = {
        "id": _text(_one(record, columns.id, "id", where)),
        "input": _value(record, columns.input, "input", where),
        "expected": _value(record, columns.expected, "expected", where),
        "metadata": _metadata(record, columns, where),
        "tags": _tags(_one(record, columns.tags, "tags", where)),
        "origin": record.get("origin") or None,
    }
    if row["input"] is None and not columns.input and "input" not in record:
        known = ", ".join(record) or "none"
        raise ConfigError(
            f"{where}: there is no column 'input'; name the one to take with --input (there are: {known})"
        )
    return {name: value for name, value in row.items() if value not in (None, "", {}, [])} | _kept(row)


def _kept(row: Mapping[str, Any]) -> dict[str, Any]:
    """Empty values that mean something: an empty text, list or object is an input too."""
    return {name: row[name] for name in ("input", "expected") if row[name] is not None}


def _one(record: Record, column: str, default: str, where: str) -> Any:
    if not column:
        return record.get(default)
    return _get(record, column, where)


def _value(record: Record, names: Sequence[str], default: str, where: str) -> Any:
    if not names:
        return record.get(default)
    if len(names) == 1:
        return _get(record, names[0], where)
    return {name: _get(record, name, where) for name in names}


def _get(record: Record, column: str, where: str) -> Any:
    if column not in record:
        raise ConfigError(f"{where}: there is no column {column!r} (there are: {', '.join(record) or 'none'})")
    return record[column]


def _metadata(record: Record, columns: Columns, where: str) -> dict[str, Any]:
    if columns.metadata is not None:
        return {name: _get(record, name, where) for name in columns.metadata}
    used = {columns.id, columns.tags, *columns.input, *columns.expected, *FIELDS, *NOT_READ}
    if columns.input:
        # The file's own `input` is then a column like any other.
        used -= {"input"} - set(columns.input)
    if columns.expected:
        used -= {"expected"} - set(columns.expected)
    own = record.get("metadata")
    rest = {name: value for name, value in record.items() if name not in used and value is not None}
    return {**(own if isinstance(own, Mapping) else {}), **rest}


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _tags(value: Any) -> list[str]:
    if value is None or value == "":
        return []
    if isinstance(value, str):
        return [tag.strip() for tag in value.split(",") if tag.strip()]
    return [str(tag) for tag in value]
