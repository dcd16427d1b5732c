"""Versions of a dataset: the list of changes, what lies between two, and the way back.

Calls block: use them in a thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from spanloop_collector.datasets.clock import VersionClock
from spanloop_collector.datasets.database import Database
from spanloop_collector.datasets.registry import DatasetRecord

CHANGE_COLUMNS = ("project", "dataset_id", "version", "operation", "inserted", "updated", "deleted", "key_id")

READ_CHANGES = """
SELECT version, operation, inserted, updated, deleted, key_id
FROM {database:Identifier}.dataset_change_log FINAL
WHERE project = {project:String} AND dataset_id = {dataset_id:String}
ORDER BY version DESC
LIMIT {limit:UInt64}
"""

HEADS = """
SELECT dataset_id, max(version) FROM {database:Identifier}.dataset_change_log
WHERE ({project:String} = '' OR project = {project:String})
    AND ({dataset_id:String} = '' OR dataset_id = {dataset_id:String})
GROUP BY dataset_id
"""

ROW_COUNTS = """
SELECT toString(dataset_id), count() FROM {database:Identifier}.newest_dataset_rows
WHERE ({project:String} = '' OR project = {project:String})
    AND ({dataset_id:String} = '' OR dataset_id = {dataset_id:String}) AND NOT is_deleted
GROUP BY dataset_id
"""

CONTENT = "cityHash64(input, expected, toString(mapSort(metadata)), arraySort(metadata_json), tags, origin)"

# Rows that anything happened to between the two versions, each as it was at the lower and at the upper one.
BETWEEN = f"""
SELECT
    id,
    countIf(version <= {{low:UInt64}}) > 0
        AND NOT argMaxIf(is_deleted, version, version <= {{low:UInt64}}) AS was_there,
    NOT argMax(is_deleted, version) AS is_there,
    argMaxIf({CONTENT}, version, version <= {{low:UInt64}}) AS old,
    argMax({CONTENT}, version) AS new,
    maxIf(version, version <= {{low:UInt64}}) AS low_version
FROM {{database:Identifier}}.dataset_row_versions
WHERE project = {{project:String}} AND dataset_id = {{dataset_id:String}} AND version <= {{high:UInt64}}
    AND id IN (
        SELECT id FROM {{database:Identifier}}.dataset_row_versions
        WHERE project = {{project:String}} AND dataset_id = {{dataset_id:String}}
            AND version > {{low:UInt64}} AND version <= {{high:UInt64}}
    )
GROUP BY id
"""

DIFF_COUNTS = f"""
SELECT
    countIf(is_there AND NOT was_there),
    countIf(was_there AND NOT is_there),
    countIf(is_there AND was_there AND old != new)
FROM ({BETWEEN})
"""
DIFF_IDS = f"""
SELECT id, multiIf(NOT was_there, 'added', NOT is_there, 'removed', 'changed') AS change FROM ({BETWEEN})
WHERE was_there != is_there OR (is_there AND was_there AND old != new)
ORDER BY id LIMIT {{limit:UInt64}}
"""

RESTORE_COLUMNS = (
    "project, dataset_id, id, version, is_deleted, created, input, expected, metadata, metadata_json, tags, origin"
)
RESTORE_ROWS = f"""
INSERT INTO {{database:Identifier}}.dataset_row_versions ({RESTORE_COLUMNS})
SELECT project, dataset_id, id, {{new:UInt64}}, false, created, input, expected, metadata, metadata_json, tags, origin
FROM {{database:Identifier}}.dataset_row_versions
WHERE project = {{project:String}} AND dataset_id = {{dataset_id:String}} AND (id, version) IN (
    SELECT id, low_version FROM ({BETWEEN}) WHERE was_there AND (NOT is_there OR old != new)
)
LIMIT 1 BY id
"""
RESTORE_DELETIONS = f"""
INSERT INTO {{database:Identifier}}.dataset_row_versions (project, dataset_id, id, version, is_deleted, created)
SELECT
    {{project:String}}, {{dataset_id:String}}, id, {{new:UInt64}}, true,
    fromUnixTimestamp64Nano(toInt64({{new:UInt64}}), 'UTC')
FROM ({BETWEEN}) WHERE is_there AND NOT was_there
"""


@dataclass(frozen=True, slots=True)
class Change:
    """One version."""

    version: int
    operation: str
    """insert, update, delete, promote, restore, import or recover."""
    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    key_id: str = ""
    """Public half of the key that made the change."""


@dataclass(frozen=True, slots=True)
class Diff:
    """What lies between two versions."""

    added: int
    removed: int
    changed: int
    ids: dict[str, str]
    """The first of them: id → added, removed or changed."""


def record_change(store: Database, dataset: DatasetRecord, change: Change) -> None:
    """Adds the change to the list; from now on its version is the newest."""
    values = (
        dataset.project,
        dataset.id,
        change.version,
        change.operation,
        change.inserted,
        change.updated,
        change.deleted,
        change.key_id,
    )
    store.insert_rows("dataset_change_log", [values], CHANGE_COLUMNS)


def newest_versions(store: Database, *, project: str = "", dataset_id: str = "") -> dict[str, int]:
    """The newest version by dataset id; datasets that nothing was ever written to are left out."""
    names = {"database": store.database, "project": project, "dataset_id": dataset_id}
    return dict(store.query(HEADS, names).result_rows)


def row_counts(store: Database, *, project: str = "", dataset_id: str = "") -> dict[str, int]:
    """Rows at the newest version by dataset id; empty datasets are left out."""
    names = {"database": store.database, "project": project, "dataset_id": dataset_id}
    return dict(store.query(ROW_COUNTS, names).result_rows)


class History:
    """The versions of one dataset."""

    def __init__(self, store: Database, dataset: DatasetRecord, clock: VersionClock) -> None:
        self._store = store
        self._dataset = dataset
        self._clock = clock
        self._names: dict[str, Any] = {
            "database": store.database,
            "project": dataset.project,
            "dataset_id": dataset.id,
        }

    def changes(self, *, limit: int) -> list[Change]:
        """The newest changes, newest first."""
        rows = self._store.query(READ_CHANGES, self._names | {"limit": limit}).named_results()
        return [Change(**row) for row in rows]

    def head(self) -> int:
        """The newest version; 0 while nothing was ever written."""
        found = newest_versions(self._store, project=self._dataset.project, dataset_id=self._dataset.id)
        return found.get(self._dataset.id, 0)

    def diff(self, from_version: int, to_version: int, *, limit: int) -> Diff:
        """What changed from one version to the other, in either direction."""
        bounds = {"low": min(from_version, to_version), "high": max(from_version, to_version)}
        names = self._names | bounds
        [(added, removed, changed)] = self._store.query(DIFF_COUNTS, names).result_rows
        ids = dict(self._store.query(DIFF_IDS, names | {"limit": limit}).result_rows)
        if from_version <= to_version:
            return Diff(added, removed, changed, ids)
        opposite = {"added": "removed", "removed": "added", "changed": "changed"}
        return Diff(removed, added, changed, {id: opposite[change] for id, change in ids.items()})

    def restore(self, version: int, *, key_id: str) -> int:
        """Makes the rows what they were at the version; returns the new version, 0 where nothing differs."""
        head = self.head()
        diff = self.diff(version, head, limit=1)
        if not diff.ids:
            return 0
        new = self._clock.next(after=head)
        names = self._names | {"low": version, "high": head, "new": new}
        self._store.command(RESTORE_ROWS, names)
        self._store.command(RESTORE_DELETIONS, names)
        change = Change(new, "restore", diff.removed, diff.changed, diff.added, key_id)
        record_change(self._store, self._dataset, change)
        return new
