"""Which datasets there are. Calls block: use them in a thread."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from spanloop_collector.datasets.clock import VersionClock
from spanloop_collector.datasets.database import Database
from spanloop_collector.errors import NotFoundError
from spanloop_collector.schema.cluster import on_cluster, stored

NAMESPACE = uuid.UUID("5d0c9ad3-0b1e-5b4f-9a52-8f7b1f0c6a11")
COLUMNS = (
    "project",
    "id",
    "name",
    "description",
    "metadata",
    "tags",
    "input_schema",
    "expected_schema",
    "created",
    "is_deleted",
    "version",
)

READ_DATASETS = """
SELECT project, id, name, description, metadata, tags, input_schema, expected_schema,
    toUnixTimestamp64Nano(created) AS created_unix_nano, is_deleted, version
FROM {database:Identifier}.dataset_registry FINAL
WHERE ({project:String} = '' OR project = {project:String})
    AND ({name:String} = '' OR name = {name:String})
    AND ({id:String} = '' OR id = {id:String})
    AND ({with_deleted:Bool} OR NOT is_deleted)
ORDER BY project, name
"""

TABLES_OF_ROWS = ("dataset_row_versions", "dataset_change_log", "dataset_snapshot_log")


@dataclass(frozen=True, slots=True)
class DatasetRecord:
    """A dataset without its rows."""

    project: str
    id: str
    name: str
    description: str = ""
    metadata: str = ""
    """JSON object; empty for none."""
    tags: Sequence[str] = ()
    input_schema: str = ""
    """JSON Schema of every row's input; empty where any will do."""
    expected_schema: str = ""
    """The same for expected."""
    created_unix_nano: int = 0
    is_deleted: bool = False
    version: int = 0


class Registry:
    """Datasets by id, and by project and name."""

    def __init__(self, store: Database, clock: VersionClock) -> None:
        self._store = store
        self._clock = clock

    def find(self, dataset_id: str) -> DatasetRecord:
        """The dataset; raises NotFoundError for one that does not exist."""
        found = self._read(id=dataset_id) if dataset_id else []
        if not found:
            raise NotFoundError(f"dataset_id: there is no dataset {dataset_id!r}")
        return found[0]

    def of_project(self, project: str, *, name: str = "") -> list[DatasetRecord]:
        """The datasets of a project by name; an empty project means all."""
        return self._read(project=project, name=name)

    def named(self, project: str, name: str) -> DatasetRecord | None:
        """The dataset of this name; None where there is none."""
        found = self._read(project=project, name=name)
        return found[0] if found else None

    def add(self, record: DatasetRecord) -> DatasetRecord:
        """Stores a new dataset under an id of its own.

        The id follows from project and name, so that two collectors that make the same dataset at once make one;
        where that id is taken, by a dataset of another name now or a deleted one, it is random.
        """
        derived = str(uuid.uuid5(NAMESPACE, f"{record.project}\0{record.name}"))
        is_taken = bool(self._read(id=derived, with_deleted=True))
        version = self._clock.next()
        added = replace(
            record, id=str(uuid.uuid4()) if is_taken else derived, created_unix_nano=version, version=version
        )
        self._insert(added)
        return added

    def change(self, record: DatasetRecord) -> DatasetRecord:
        """Stores the record over the one of its id."""
        changed = replace(record, version=self._clock.next(after=record.version))
        self._insert(changed)
        return changed

    def delete(self, record: DatasetRecord) -> None:
        """Takes the dataset away, then every version of its rows."""
        self.change(replace(record, is_deleted=True))
        cluster = self._store.cluster
        for table in TABLES_OF_ROWS:
            self._store.command(
                f"DELETE FROM {self._store.database}.{stored(table, cluster)} {on_cluster(cluster)} "
                "WHERE project = {project:String} AND dataset_id = {dataset_id:String}",
                {"project": record.project, "dataset_id": record.id},
            )

    def _read(
        self, *, project: str = "", name: str = "", id: str = "", with_deleted: bool = False
    ) -> list[DatasetRecord]:
        parameters: dict[str, Any] = {"database": self._store.database, "project": project, "name": name, "id": id}
        rows = self._store.query(READ_DATASETS, parameters | {"with_deleted": with_deleted}).named_results()
        return [DatasetRecord(**row) for row in rows]

    def _insert(self, record: DatasetRecord) -> None:
        values = {name: getattr(record, name) for name in COLUMNS if name != "created"}
        values |= {"created": record.created_unix_nano, "tags": list(record.tags)}
        self._store.insert_rows("dataset_registry", [[values[name] for name in COLUMNS]], COLUMNS)
