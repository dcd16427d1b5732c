"""Rows of a change that was cut off before it was recorded: without this nobody would ever read them.

Rows are written first and their version is recorded last. Where a collector dies in between, the same rows sent again
are there already and make no version of their own; so the first write to a dataset after a start, or after a failure,
looks for such rows and records them. Calls block: use them in a thread.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from spanloop_collector.datasets.database import Database
from spanloop_collector.datasets.history import Change, newest_versions, record_change
from spanloop_collector.datasets.registry import DatasetRecord

UNRECORDED = """
SELECT max(version), countIf(NOT is_deleted), countIf(is_deleted)
FROM {database:Identifier}.dataset_row_versions
WHERE project = {project:String} AND dataset_id = {dataset_id:String} AND version > {head:UInt64}
"""


class Leftovers:
    """Remembers which datasets have none. The caller holds the dataset's lock."""

    def __init__(self, store: Database) -> None:
        self._store = store
        # Protects `_clean`, which writers of different datasets change at once.
        self._lock = threading.Lock()
        self._clean: set[str] = set()

    @contextmanager
    def writing(self, dataset: DatasetRecord) -> Iterator[None]:
        """Around everything that writes rows of the dataset."""
        with self._lock:
            is_clean = dataset.id in self._clean
            # Until the write is done it is not.
            self._clean.discard(dataset.id)
        if not is_clean:
            self._record(dataset)
        yield
        with self._lock:
            self._clean.add(dataset.id)

    def _record(self, dataset: DatasetRecord) -> None:
        names: dict[str, Any] = {"project": dataset.project, "dataset_id": dataset.id}
        head = newest_versions(self._store, **names).get(dataset.id, 0)
        parameters = names | {"database": self._store.database, "head": head}
        [(version, written, deleted)] = self._store.query(UNRECORDED, parameters).result_rows
        if version:
            record_change(self._store, dataset, Change(version, "recover", inserted=written, deleted=deleted))
