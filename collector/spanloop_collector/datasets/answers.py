"""Datasets, rows and versions as the API shows them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from spanloop.v1 import datasets_pb2 as pb

from spanloop_collector.api.json_codec import write_json
from spanloop_collector.datasets.database import Database
from spanloop_collector.datasets.history import Change, newest_versions, row_counts
from spanloop_collector.datasets.registry import DatasetRecord
from spanloop_collector.datasets.row import VALUE_FIELDS, DatasetRow, read_metadata
from spanloop_collector.datasets.snapshots import Snapshot


def dataset_message(store: Database, record: DatasetRecord, row_count: int | None = None) -> pb.Dataset:
    """The dataset with its newest version and the number of its rows, which are read unless given. Blocks."""
    names = {"project": record.project, "dataset_id": record.id}
    head = newest_versions(store, **names).get(record.id, 0)
    if row_count is None:
        row_count = row_counts(store, **names).get(record.id, 0)
    return dataset_answer(record, head, row_count)


def dataset_answer(record: DatasetRecord, version: int, row_count: int) -> pb.Dataset:
    """The dataset as the API shows it."""
    shown = pb.Dataset(
        id=record.id,
        project=record.project,
        name=record.name,
        description=record.description,
        metadata=record.metadata or "{}",
        tags=record.tags,
        created=time_text(record.created_unix_nano),
        version=version_text(version),
        row_count=row_count,
    )
    if record.input_schema:
        shown.input_schema = record.input_schema
    if record.expected_schema:
        shown.expected_schema = record.expected_schema
    return shown


def stored_row_message(row: Mapping[str, Any]) -> pb.DatasetRow:
    """The row as the API shows it, from its columns (ROW_COLUMNS): JSON texts are passed on unread."""
    shown = pb.DatasetRow(
        id=row["id"],
        tags=row["tags"],
        created=time_text(row["created_unix_nano"]),
        version=version_text(row["version"]),
    )
    for name in ("input", "expected", "origin"):
        if row[name]:
            setattr(shown, name, row[name])
    if row["metadata"]:
        shown.metadata = write_json(read_metadata(row))
    return shown


def row_message(row: DatasetRow) -> pb.DatasetRow:
    """The row as the API shows it."""
    shown = pb.DatasetRow(
        id=row.id,
        tags=row.fields.get("tags") or [],
        created=time_text(row.created_unix_nano),
        version=version_text(row.version),
    )
    for name in ("input", "expected", "metadata", "origin"):
        if row.fields.get(name) is not None:
            setattr(shown, name, write_json(row.fields[name]))
    return shown


def row_diff_message(id: str, change: str, before: DatasetRow | None, after: DatasetRow | None) -> pb.DatasetRowDiff:
    """What lies between two versions of a row; None where it was not there."""
    old = before if before and not before.is_deleted else None
    new = after if after and not after.is_deleted else None
    fields = [
        name
        for name in VALUE_FIELDS
        if (old.fields.get(name) if old else None) != (new.fields.get(name) if new else None)
    ]
    shown = pb.DatasetRowDiff(id=id, change=change, fields=fields)
    if old:
        shown.before.CopyFrom(row_message(old))
    if new:
        shown.after.CopyFrom(row_message(new))
    return shown


def change_message(change: Change, snapshots: list[str]) -> pb.DatasetVersion:
    """The version as the API shows it."""
    return pb.DatasetVersion(
        version=version_text(change.version),
        created=time_text(change.version),
        operation=change.operation,
        inserted=change.inserted,
        updated=change.updated,
        deleted=change.deleted,
        key_id=change.key_id,
        snapshots=snapshots,
    )


def snapshot_message(snapshot: Snapshot) -> pb.DatasetSnapshot:
    """The snapshot as the API shows it."""
    return pb.DatasetSnapshot(
        name=snapshot.name,
        version=version_text(snapshot.version),
        description=snapshot.description,
        created=time_text(snapshot.created_unix_nano),
    )


def version_text(version: int) -> str:
    """The version as the API shows it; '' for none."""
    return str(version) if version else ""


def time_text(unix_nano: int) -> str:
    """The time as RFC 3339; '' for none."""
    return datetime.fromtimestamp(unix_nano / 1e9, UTC).isoformat() if unix_nano else ""
