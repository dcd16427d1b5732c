"""A row of a dataset between the API and its columns."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spanloop_collector.api.json_codec import parse_json, write_json
from spanloop_collector.api.row import Json

VALUE_FIELDS = ("input", "expected", "metadata", "tags", "origin")

ROW_COLUMNS = """
    id, input, expected, metadata, metadata_json, tags, origin, is_deleted, version,
    toUnixTimestamp64Nano(created) AS created_unix_nano
"""
"""What `read_row` needs, from `dataset_row_versions`."""

INSERT_COLUMNS = (
    "project",
    "dataset_id",
    "id",
    "version",
    "is_deleted",
    "created",
    "input",
    "expected",
    "metadata",
    "metadata_json",
    "tags",
    "origin",
)
"""What `insert_values` gives, in `dataset_row_versions`; the other columns follow from these."""


@dataclass(frozen=True, slots=True)
class DatasetRow:
    """One version of a row."""

    id: str
    fields: Mapping[str, Json]
    """`input`, `expected`, `metadata` (an object), `tags` (a list), `origin` (an object): those that are present."""
    created_unix_nano: int = 0
    """When the row was first written."""
    version: int = 0
    is_deleted: bool = False


def content_id(fields: Mapping[str, Json]) -> str:
    """The id of a row that brings none: the same input and expected are the same row."""
    content = {"expected": fields.get("expected"), "input": fields.get("input")}
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def same_content(one: DatasetRow, other: DatasetRow) -> bool:
    """Whether writing one over the other would change nothing."""
    return one.is_deleted == other.is_deleted and _present(one.fields) == _present(other.fields)


def read_row(row: Mapping[str, Any]) -> DatasetRow:
    """The row from its columns (ROW_COLUMNS)."""
    fields: dict[str, Json] = {name: parse_json(row[name]) for name in ("input", "expected", "origin") if row[name]}
    if row["metadata"]:
        fields["metadata"] = read_metadata(row)
    if row["tags"]:
        fields["tags"] = list(row["tags"])
    return DatasetRow(
        id=row["id"],
        fields=fields,
        created_unix_nano=row["created_unix_nano"],
        version=row["version"],
        is_deleted=bool(row["is_deleted"]),
    )


def read_metadata(row: Mapping[str, Any]) -> dict[str, Json]:
    """The row's metadata from its columns."""
    json_keys = set(row["metadata_json"])
    return {key: parse_json(text) if key in json_keys else text for key, text in row["metadata"].items()}


def insert_values(project: str, dataset_id: str, row: DatasetRow) -> Sequence[Any]:
    """The row's values in the order of INSERT_COLUMNS."""
    metadata: Mapping[str, Json] = row.fields.get("metadata") or {}
    return (
        project,
        dataset_id,
        row.id,
        row.version,
        row.is_deleted,
        # A number of ticks: a datetime would lose its nanoseconds.
        row.created_unix_nano,
        _json_text(row, "input"),
        _json_text(row, "expected"),
        {key: value if isinstance(value, str) else write_json(value) for key, value in metadata.items()},
        [key for key, value in metadata.items() if not isinstance(value, str)],
        list(row.fields.get("tags") or []),
        _json_text(row, "origin"),
    )


def _json_text(row: DatasetRow, name: str) -> str:
    return write_json(row.fields[name]) if row.fields.get(name) is not None else ""


def _present(fields: Mapping[str, Json]) -> dict[str, Json]:
    return {
        name: value for name, value in fields.items() if value not in (None, {}, []) or name in ("input", "expected")
    }
