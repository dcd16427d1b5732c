"""DatasetService: datasets, their rows and their versions."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from spanloop.v1 import datasets_pb2 as pb

from spanloop_collector.api.operations import Call
from spanloop_collector.api.row_locks import KeyedLocks
from spanloop_collector.datasets.answers import (
    change_message,
    dataset_answer,
    dataset_message,
    row_diff_message,
    row_message,
    snapshot_message,
    stored_row_message,
    version_text,
)
from spanloop_collector.datasets.clock import VersionClock
from spanloop_collector.datasets.database import Database
from spanloop_collector.datasets.history import History, newest_versions, row_counts
from spanloop_collector.datasets.leftovers import Leftovers
from spanloop_collector.datasets.reader import MAX_PAGE_ROWS, PAGE_ROWS, RowReader
from spanloop_collector.datasets.registry import DatasetRecord, Registry
from spanloop_collector.datasets.requests import read_name, read_object, read_rows, read_schema
from spanloop_collector.datasets.snapshots import Snapshot, Snapshots
from spanloop_collector.datasets.writer import RowWrite, RowWriter, Written
from spanloop_collector.errors import NotFoundError, PermissionDeniedError, invalid

SHOWN_ROWS = 100
OPERATIONS = ("", "insert", "update", "import", "promote", "restore")


class DatasetOperations:
    """The operations of DatasetService."""

    def __init__(
        self,
        store: Database,
        *,
        clock: VersionClock,
        locks: KeyedLocks,
        leftovers: Leftovers,
        default_project: str,
    ) -> None:
        """`clock`, `locks` and `leftovers` are shared with everything else that writes rows of datasets."""
        self._store = store
        self._clock = clock
        self._locks = locks
        self._leftovers = leftovers
        self._registry = Registry(store, self._clock)
        self._default_project = default_project

    async def create_dataset(self, request: pb.CreateDatasetRequest, call: Call) -> pb.CreateDatasetResponse:
        """The dataset of that name, made where there is none."""
        project = call.project(request.project, self._default_project)
        record = DatasetRecord(
            project=project,
            id="",
            name=read_name(request.name),
            description=request.description,
            metadata=read_object(request, "metadata"),
            tags=list(request.tags),
            input_schema=read_schema(request, "input_schema"),
            expected_schema=read_schema(request, "expected_schema"),
        )
        async with self._locks.hold([(project, record.name)]):
            found = await asyncio.to_thread(self._registry.named, project, record.name)
            dataset = found if found is not None else await asyncio.to_thread(self._registry.add, record)
        return pb.CreateDatasetResponse(dataset=await self._shown(dataset), is_new=found is None)

    async def list_datasets(self, request: pb.ListDatasetsRequest, call: Call) -> pb.ListDatasetsResponse:
        """The datasets of a project, or every one."""
        project = call.project(request.project)

        def read() -> list[pb.Dataset]:
            records = self._registry.of_project(project, name=request.name)
            heads = newest_versions(self._store, project=project)
            counts = row_counts(self._store, project=project)
            return [dataset_answer(each, heads.get(each.id, 0), counts.get(each.id, 0)) for each in records]

        return pb.ListDatasetsResponse(datasets=await asyncio.to_thread(read))

    async def get_dataset(self, request: pb.GetDatasetRequest, call: Call) -> pb.GetDatasetResponse:
        """One dataset."""
        dataset = await self._find(request.dataset_id, call)
        return pb.GetDatasetResponse(dataset=await self._shown(dataset))

    async def update_dataset(self, request: pb.UpdateDatasetRequest, call: Call) -> pb.UpdateDatasetResponse:
        """The dataset with what the request says about it."""
        dataset = await self._find(request.dataset_id, call)
        changes: dict[str, Any] = {}
        if request.HasField("name"):
            changes["name"] = read_name(request.name)
        if request.HasField("description"):
            changes["description"] = request.description
        if request.HasField("metadata"):
            changes["metadata"] = read_object(request, "metadata")
        if request.tags:
            changes["tags"] = list(request.tags)
        for field in ("input_schema", "expected_schema"):
            if request.HasField(field):
                changes[field] = read_schema(request, field)
        name = changes.get("name", dataset.name)
        async with self._locks.hold([(dataset.project, name)]):
            taken = await asyncio.to_thread(self._registry.named, dataset.project, name)
            if taken is not None and taken.id != dataset.id:
                raise invalid("name", f"project {dataset.project!r} has another dataset {name!r}")
            changed = await asyncio.to_thread(self._registry.change, replace(dataset, **changes))
        return pb.UpdateDatasetResponse(dataset=await self._shown(changed))

    async def delete_dataset(self, request: pb.DeleteDatasetRequest, call: Call) -> pb.DeleteDatasetResponse:
        """Deletes the dataset with every version of its rows."""
        dataset = await self._find(request.dataset_id, call)
        async with self._locks.hold([(dataset.project, dataset.id)]):
            await asyncio.to_thread(self._registry.delete, dataset)
        return pb.DeleteDatasetResponse()

    async def write_dataset_rows(self, request: pb.WriteDatasetRowsRequest, call: Call) -> pb.WriteDatasetRowsResponse:
        """Stores rows; a bad one never costs its neighbours."""
        writes = await asyncio.to_thread(read_rows, request.rows, call.problems, is_merge=request.is_merge)
        if request.operation not in OPERATIONS:
            raise invalid("operation", f"expected one of {', '.join(OPERATIONS[1:])}, got {request.operation!r:.100}")
        dataset = await self._find(request.dataset_id, call)
        operation = request.operation or ("update" if request.is_merge else "insert")
        writer = RowWriter(self._store, dataset, self._clock)

        def write() -> Written:
            with self._leftovers.writing(dataset):
                return writer.write(
                    writes, is_merge=request.is_merge, operation=operation, key_id=call.principal.key_id
                )

        async with self._locks.hold([(dataset.project, dataset.id)]):
            written = await asyncio.to_thread(write)
        return _write_response(writes, written)

    async def delete_dataset_rows(
        self, request: pb.DeleteDatasetRowsRequest, call: Call
    ) -> pb.DeleteDatasetRowsResponse:
        """Takes rows away; the versions before keep them."""
        dataset = await self._find(request.dataset_id, call)
        writer = RowWriter(self._store, dataset, self._clock)

        def delete() -> tuple[int, int]:
            with self._leftovers.writing(dataset):
                return writer.delete(list(request.ids), key_id=call.principal.key_id)

        async with self._locks.hold([(dataset.project, dataset.id)]):
            version, deleted = await asyncio.to_thread(delete)
        return pb.DeleteDatasetRowsResponse(version=version_text(version), deleted=deleted)

    async def fetch_dataset_rows(self, request: pb.FetchDatasetRowsRequest, call: Call) -> pb.FetchDatasetRowsResponse:
        """A page of rows."""
        dataset = await self._find(request.dataset_id, call)
        if not 0 <= request.limit <= MAX_PAGE_ROWS:
            raise invalid("limit", f"expected 0 to {MAX_PAGE_ROWS}, got {request.limit}")

        def read() -> pb.FetchDatasetRowsResponse:
            version = self._resolve(dataset, request.version, "version")
            reader = RowReader(self._store, dataset.project, dataset.id)
            rows, cursor = _read_page(reader, version, request)
            return pb.FetchDatasetRowsResponse(rows=rows, next_cursor=cursor, version=version_text(version))

        return await asyncio.to_thread(read)

    async def list_dataset_versions(
        self, request: pb.ListDatasetVersionsRequest, call: Call
    ) -> pb.ListDatasetVersionsResponse:
        """The changes of a dataset."""
        dataset = await self._find(request.dataset_id, call)
        if request.limit < 0:
            raise invalid("limit", f"expected a number of at least 0, got {request.limit}")

        def read() -> list[pb.DatasetVersion]:
            names: dict[int, list[str]] = {}
            for snapshot in self._snapshots(dataset).list():
                names.setdefault(snapshot.version, []).append(snapshot.name)
            changes = self._history(dataset).changes(limit=request.limit or SHOWN_ROWS)
            return [change_message(change, names.get(change.version, [])) for change in changes]

        return pb.ListDatasetVersionsResponse(versions=await asyncio.to_thread(read))

    async def diff_dataset_versions(
        self, request: pb.DiffDatasetVersionsRequest, call: Call
    ) -> pb.DiffDatasetVersionsResponse:
        """What lies between two versions."""
        dataset = await self._find(request.dataset_id, call)
        if request.limit < 0:
            raise invalid("limit", f"expected a number of at least 0, got {request.limit}")
        return await asyncio.to_thread(self._diff, dataset, request)

    async def restore_dataset(self, request: pb.RestoreDatasetRequest, call: Call) -> pb.RestoreDatasetResponse:
        """Makes the rows what they were."""
        dataset = await self._find(request.dataset_id, call)
        if not request.version:
            raise invalid("version", "say which version or snapshot to go back to")

        def restore() -> pb.RestoreDatasetResponse:
            version = self._resolve(dataset, request.version, "version")
            history = self._history(dataset)
            with self._leftovers.writing(dataset):
                diff = history.diff(version, history.head(), limit=1)
                made = 0 if request.dry_run else history.restore(version, key_id=call.principal.key_id)
            return pb.RestoreDatasetResponse(
                rows_to_restore=diff.removed + diff.changed, rows_to_delete=diff.added, version=version_text(made)
            )

        async with self._locks.hold([(dataset.project, dataset.id)]):
            return await asyncio.to_thread(restore)

    async def create_dataset_snapshot(
        self, request: pb.CreateDatasetSnapshotRequest, call: Call
    ) -> pb.CreateDatasetSnapshotResponse:
        """Names a version."""
        dataset = await self._find(request.dataset_id, call)
        if not request.name.strip() or request.name.isdecimal():
            raise invalid("name", f"expected a name that is not digits alone, got {request.name!r:.100}")

        def create() -> Snapshot:
            version = self._resolve(dataset, request.version, "version")
            return self._snapshots(dataset).put(request.name, version, request.description)

        return pb.CreateDatasetSnapshotResponse(snapshot=snapshot_message(await asyncio.to_thread(create)))

    async def list_dataset_snapshots(
        self, request: pb.ListDatasetSnapshotsRequest, call: Call
    ) -> pb.ListDatasetSnapshotsResponse:
        """The snapshots of a dataset."""
        dataset = await self._find(request.dataset_id, call)
        found = await asyncio.to_thread(self._snapshots(dataset).list)
        return pb.ListDatasetSnapshotsResponse(snapshots=[snapshot_message(snapshot) for snapshot in found])

    async def delete_dataset_snapshot(
        self, request: pb.DeleteDatasetSnapshotRequest, call: Call
    ) -> pb.DeleteDatasetSnapshotResponse:
        """Takes a name away."""
        dataset = await self._find(request.dataset_id, call)
        if not await asyncio.to_thread(self._snapshots(dataset).delete, request.name):
            raise NotFoundError(f"name: dataset {dataset.name!r} has no snapshot {request.name!r}")
        return pb.DeleteDatasetSnapshotResponse()

    async def _find(self, dataset_id: str, call: Call) -> DatasetRecord:
        dataset = await asyncio.to_thread(self._registry.find, dataset_id)
        try:
            call.principal.require_project(dataset.project)
        except PermissionDeniedError:
            # Whether another project has it is nobody else's business.
            raise NotFoundError(f"dataset_id: there is no dataset {dataset_id!r}") from None
        return dataset

    async def _shown(self, record: DatasetRecord) -> pb.Dataset:
        return await asyncio.to_thread(dataset_message, self._store, record)

    def _resolve(self, dataset: DatasetRecord, text: str, field: str) -> int:
        """The version that the text means: digits, the name of a snapshot, or '' for the newest."""
        if not text:
            return self._history(dataset).head()
        if text.isdecimal() and text.isascii() and int(text) < 2**63:
            return int(text)
        for snapshot in self._snapshots(dataset).list():
            if snapshot.name == text:
                return snapshot.version
        raise NotFoundError(f"{field}: dataset {dataset.name!r} has no version or snapshot {text!r}")

    def _diff(self, dataset: DatasetRecord, request: pb.DiffDatasetVersionsRequest) -> pb.DiffDatasetVersionsResponse:
        low = self._resolve(dataset, request.from_version, "from_version")
        high = self._resolve(dataset, request.to_version, "to_version")
        diff = self._history(dataset).diff(low, high, limit=request.limit or SHOWN_ROWS)
        reader = RowReader(self._store, dataset.project, dataset.id)
        before, after = reader.find(diff.ids, version=low), reader.find(diff.ids, version=high)
        return pb.DiffDatasetVersionsResponse(
            from_version=version_text(low),
            to_version=version_text(high),
            added=diff.added,
            removed=diff.removed,
            changed=diff.changed,
            rows=[row_diff_message(id, change, before.get(id), after.get(id)) for id, change in diff.ids.items()],
        )

    def _history(self, dataset: DatasetRecord) -> History:
        return History(self._store, dataset, self._clock)

    def _snapshots(self, dataset: DatasetRecord) -> Snapshots:
        return Snapshots(self._store, dataset, self._clock)


def _read_page(reader: RowReader, version: int, request: pb.FetchDatasetRowsRequest) -> tuple[list[pb.DatasetRow], str]:
    if not request.id:
        rows, cursor = reader.page(version, after=request.cursor, limit=request.limit or PAGE_ROWS)
        return [stored_row_message(row) for row in rows], cursor
    found = reader.find([request.id], version=version)
    return [row_message(row) for row in found.values() if not row.is_deleted], ""


def _write_response(writes: list[RowWrite], written: Written) -> pb.WriteDatasetRowsResponse:
    errors = [write.error for write in writes if write.error is not None]
    if errors and len(errors) == len(writes):
        raise errors[0]
    return pb.WriteDatasetRowsResponse(
        results=[pb.DatasetRowResult(id=write.given.id, error=str(write.error or "")) for write in writes],
        version=version_text(written.version),
        inserted=written.inserted,
        updated=written.updated,
        unchanged=written.unchanged,
        rejected=len(errors),
    )
