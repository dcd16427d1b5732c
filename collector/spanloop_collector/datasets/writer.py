"""Rows written and deleted: what changes gets a version, what does not gets none. Calls block: use them in a thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from spanloop_collector.api.row_merge import merge_fields
from spanloop_collector.datasets.clock import VersionClock
from spanloop_collector.datasets.database import Database
from spanloop_collector.datasets.history import Change, record_change
from spanloop_collector.datasets.reader import RowReader
from spanloop_collector.datasets.registry import DatasetRecord
from spanloop_collector.datasets.row import INSERT_COLUMNS, DatasetRow, insert_values, same_content
from spanloop_collector.datasets.schema_check import check_value
from spanloop_collector.errors import InvalidRequestError

TABLE = "dataset_row_versions"


@dataclass(slots=True)
class RowWrite:
    """One row of a request and what becomes of it."""

    path: str
    """Where it stands in the request, e.g. `rows[3]`."""
    given: DatasetRow
    """Only the fields that are present; None clears one."""
    error: InvalidRequestError | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """What a request changed."""

    version: int = 0
    """0 where nothing changed."""
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0


class RowWriter:
    """Writes rows of one dataset. One request at a time: the caller holds the dataset's lock."""

    def __init__(self, store: Database, dataset: DatasetRecord, clock: VersionClock) -> None:
        self._store = store
        self._dataset = dataset
        self._clock = clock
        self._reader = RowReader(store, dataset.project, dataset.id)

    def write(self, writes: Sequence[RowWrite], *, is_merge: bool, operation: str, key_id: str) -> Written:
        """Stores the rows that have no error; those that turn out to be wrong get one."""
        before = self._reader.find(write.given.id for write in writes if write.error is None)
        after: dict[str, DatasetRow] = {}
        for write in writes:
            if write.error is None:
                self._apply(write, before, after, is_merge=is_merge)
        return self._store_rows(before, after, operation=operation, key_id=key_id)

    def delete(self, ids: Sequence[str], *, key_id: str) -> tuple[int, int]:
        """The version that the deletion made and how many rows it took away."""
        found = [row for row in self._reader.find(ids).values() if not row.is_deleted]
        if not found:
            return 0, 0
        version = self._clock.next(after=max(row.version for row in found))
        self._insert([_tombstone(row, version) for row in found])
        self._record(Change(version, "delete", deleted=len(found), key_id=key_id))
        return version, len(found)

    def _apply(
        self, write: RowWrite, before: dict[str, DatasetRow], after: dict[str, DatasetRow], *, is_merge: bool
    ) -> None:
        """Puts the row as it shall be into `after`."""
        id = write.given.id
        # A later row of the same request sees this one.
        stored = after.get(id) or before.get(id)
        if stored is not None and stored.is_deleted:
            stored = None
        try:
            row = _changed(write.given, stored, is_merge=is_merge)
            self._check(row, write.path)
        except InvalidRequestError as error:
            write.error = error
            return
        after[id] = row

    def _check(self, row: DatasetRow, path: str) -> None:
        check_value(row.fields.get("input"), self._dataset.input_schema, f"{path}.input")
        if "expected" in row.fields:
            check_value(row.fields["expected"], self._dataset.expected_schema, f"{path}.expected")

    def _store_rows(
        self, before: dict[str, DatasetRow], after: dict[str, DatasetRow], *, operation: str, key_id: str
    ) -> Written:
        changed = [row for id, row in after.items() if id not in before or not same_content(row, before[id])]
        unchanged = len(after) - len(changed)
        if not changed:
            return Written(unchanged=unchanged)
        newest = max((before[row.id].version for row in changed if row.id in before), default=0)
        version = self._clock.next(after=newest)
        rows = [_numbered(row, version, place) for place, row in enumerate(changed)]
        updated = sum(row.id in before and not before[row.id].is_deleted for row in changed)
        self._insert(rows)
        self._record(Change(version, operation, inserted=len(rows) - updated, updated=updated, key_id=key_id))
        return Written(version, len(rows) - updated, updated, unchanged)

    def _insert(self, rows: Sequence[DatasetRow]) -> None:
        values = [insert_values(self._dataset.project, self._dataset.id, row) for row in rows]
        self._store.insert_rows(TABLE, values, INSERT_COLUMNS)

    def _record(self, change: Change) -> None:
        # Last: only now do readers of the newest version see the rows.
        record_change(self._store, self._dataset, change)


def _changed(given: DatasetRow, stored: DatasetRow | None, *, is_merge: bool) -> DatasetRow:
    """The row as it shall be stored."""
    if stored is None:
        fields = {name: value for name, value in given.fields.items() if value is not None}
    elif is_merge:
        fields = merge_fields(stored.fields, given.fields)
    else:
        fields = {name: value for name, value in given.fields.items() if value is not None}
        # Where a row came from stays true when somebody edits it.
        if "origin" in stored.fields:
            fields.setdefault("origin", stored.fields["origin"])
    return DatasetRow(given.id, fields, stored.created_unix_nano if stored else 0)


def _tombstone(row: DatasetRow, version: int) -> DatasetRow:
    """The row's deletion. Its texts stay in the versions before; its origin stays, so that it is not promoted again."""
    origin = {name: value for name, value in row.fields.items() if name == "origin"}
    return replace(row, fields=origin, is_deleted=True, version=version)


def _numbered(row: DatasetRow, version: int, place: int) -> DatasetRow:
    """The row with its version; a new one is created then, in the order of the request."""
    return replace(row, version=version, created_unix_nano=row.created_unix_nano or version + place)
