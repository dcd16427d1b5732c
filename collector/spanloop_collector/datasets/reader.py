"""Rows of a dataset as they were at a version, in pages. Calls block: use them in a thread."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from spanloop_collector.datasets.database import Database
from spanloop_collector.datasets.row import ROW_COLUMNS, DatasetRow, read_row

PAGE_ROWS = 1_000
MAX_PAGE_ROWS = 10_000
PAGE_BYTES = 3 * 1024 * 1024
"""A gRPC client takes messages up to 4 MiB unless told otherwise."""
IDS_PER_QUERY = 500

# Reads the table in its own order and stops after the page, in blocks no larger than one; only the narrow columns are
# touched.
PAGE_BOUNDS = """
SELECT id, byte_count FROM
(
    SELECT id, byte_count, is_deleted FROM {database:Identifier}.dataset_row_versions
    WHERE project = {project:String} AND dataset_id = {dataset_id:String}
        AND version <= {version:UInt64} AND id > {after:String}
    ORDER BY project, dataset_id, id, version DESC
    LIMIT 1 BY id
)
WHERE NOT is_deleted
LIMIT {limit:UInt64}
SETTINGS max_block_size = 1024
"""

PAGE = f"""
SELECT {ROW_COLUMNS} FROM {{database:Identifier}}.dataset_row_versions
WHERE project = {{project:String}} AND dataset_id = {{dataset_id:String}}
    AND version <= {{version:UInt64}} AND id > {{after:String}} AND id <= {{last:String}}
ORDER BY project, dataset_id, id, version DESC
LIMIT 1 BY id
"""

BY_ID = f"""
SELECT {ROW_COLUMNS} FROM {{database:Identifier}}.dataset_row_versions
WHERE project = {{project:String}} AND dataset_id = {{dataset_id:String}}
    AND version <= {{version:UInt64}} AND id IN {{ids:Array(String)}}
ORDER BY project, dataset_id, id, version DESC
LIMIT 1 BY id
"""

COUNT = """
SELECT countIf(NOT deleted) FROM
(
    SELECT argMax(is_deleted, version) AS deleted FROM {database:Identifier}.dataset_row_versions
    WHERE project = {project:String} AND dataset_id = {dataset_id:String} AND version <= {version:UInt64}
    GROUP BY id
)
"""

NEWEST = 2**64 - 1
"""A version above all."""


class RowReader:
    """Reads the rows of one dataset."""

    def __init__(self, store: Database, project: str, dataset_id: str) -> None:
        self._store = store
        self._names: dict[str, Any] = {"database": store.database, "project": project, "dataset_id": dataset_id}

    def page(self, version: int, *, after: str = "", limit: int = PAGE_ROWS) -> tuple[list[dict[str, Any]], str]:
        """Columns (ROW_COLUMNS) of the rows behind the id `after`, and the id to go on behind; '' after the last row.

        A page ends at `limit` rows or about PAGE_BYTES, whatever comes first, and has one row at least.
        """
        given = {"version": version, "after": after}
        bounds = self._rows(PAGE_BOUNDS, given | {"limit": limit + 1})
        length = _rows_that_fit([row["byte_count"] for row in bounds[:limit]])
        if not length:
            return [], ""
        last = str(bounds[length - 1]["id"])
        rows = [row for row in self._rows(PAGE, given | {"last": last}) if not row["is_deleted"]]
        kept = sorted(rows, key=lambda row: (row["created_unix_nano"], row["id"]))
        return kept, last if length < len(bounds) else ""

    def find(self, ids: Iterable[str], *, version: int = NEWEST) -> dict[str, DatasetRow]:
        """The rows of these ids, deleted ones included; ids that never were are left out."""
        wanted = sorted(set(ids))
        found: dict[str, DatasetRow] = {}
        for start in range(0, len(wanted), IDS_PER_QUERY):
            given = {"version": version, "ids": wanted[start : start + IDS_PER_QUERY]}
            found |= {row["id"]: read_row(row) for row in self._rows(BY_ID, given)}
        return found

    def count(self, version: int) -> int:
        """How many rows there are."""
        return int(self._store.query(COUNT, self._names | {"version": version}).result_rows[0][0])

    def _rows(self, sql: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        return list(self._store.query(sql, self._names | parameters).named_results())


def _rows_that_fit(sizes: Sequence[int]) -> int:
    """How many rows from the first make a page; one that is too large alone is a page of its own."""
    total = 0
    for number, size in enumerate(sizes):
        total += size
        if total > PAGE_BYTES and number:
            return number
    return len(sizes)
