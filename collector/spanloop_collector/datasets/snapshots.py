"""Names for versions. Calls block: use them in a thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from spanloop_collector.datasets.clock import VersionClock
from spanloop_collector.datasets.database import Database
from spanloop_collector.datasets.registry import DatasetRecord

COLUMNS = ("project", "dataset_id", "name", "dataset_version", "description", "created", "is_deleted", "version")

READ_SNAPSHOTS = """
SELECT name, dataset_version AS version, description, toUnixTimestamp64Nano(created) AS created_unix_nano
FROM {database:Identifier}.dataset_snapshot_log FINAL
WHERE project = {project:String} AND dataset_id = {dataset_id:String} AND NOT is_deleted
ORDER BY created DESC, name
"""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A named version."""

    name: str
    version: int
    description: str = ""
    created_unix_nano: int = 0


class Snapshots:
    """The snapshots of one dataset."""

    def __init__(self, store: Database, dataset: DatasetRecord, clock: VersionClock) -> None:
        self._store = store
        self._dataset = dataset
        self._clock = clock

    def list(self) -> Sequence[Snapshot]:
        """All of them, newest first."""
        names: dict[str, Any] = {
            "database": self._store.database,
            "project": self._dataset.project,
            "dataset_id": self._dataset.id,
        }
        return [Snapshot(**row) for row in self._store.query(READ_SNAPSHOTS, names).named_results()]

    def put(self, name: str, version: int, description: str) -> Snapshot:
        """Names the version; a snapshot of that name moves to it."""
        now = self._clock.next()
        self._insert(Snapshot(name, version, description, now), now=now, is_deleted=False)
        return Snapshot(name, version, description, now)

    def delete(self, name: str) -> bool:
        """Takes the name away; False where there is none. The version stays."""
        if all(snapshot.name != name for snapshot in self.list()):
            return False
        now = self._clock.next()
        self._insert(Snapshot(name, 0, "", now), now=now, is_deleted=True)
        return True

    def _insert(self, snapshot: Snapshot, *, now: int, is_deleted: bool) -> None:
        values = (
            self._dataset.project,
            self._dataset.id,
            snapshot.name,
            snapshot.version,
            snapshot.description,
            snapshot.created_unix_nano,
            is_deleted,
            now,
        )
        self._store.insert_rows("dataset_snapshot_log", [values], COLUMNS)
