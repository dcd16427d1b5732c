"""PromoteService: rows of production and of experiments become rows of datasets."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from spanloop.v1 import datasets_pb2
from spanloop.v1 import promote_pb2 as pb

from spanloop_collector.api.operations import Call
from spanloop_collector.api.row_locks import KeyedLocks
from spanloop_collector.api.waiting import finished
from spanloop_collector.datasets.answers import dataset_message
from spanloop_collector.datasets.clock import VersionClock
from spanloop_collector.datasets.leftovers import Leftovers
from spanloop_collector.datasets.registry import DatasetRecord, Registry
from spanloop_collector.datasets.requests import read_name, read_rows
from spanloop_collector.datasets.writer import RowWriter
from spanloop_collector.errors import NotFoundError, PermissionDeniedError, invalid
from spanloop_collector.keys.principal import Scope
from spanloop_collector.promote.answers import job_message, source_row, step_message
from spanloop_collector.promote.copy import Checked
from spanloop_collector.promote.jobs import Job, Jobs
from spanloop_collector.promote.lineage import Lineage
from spanloop_collector.promote.promotions import Promotions
from spanloop_collector.promote.select import count_select, source_select
from spanloop_collector.promote.spec import PromoteSpec, read_spec
from spanloop_collector.query.expression import select_of
from spanloop_collector.query.queries import Queries
from spanloop_collector.store import Store

MAX_JOB_PAGE = 1_000


class PromoteOperations:
    """The operations of PromoteService."""

    def __init__(
        self,
        store: Store,
        queries: Queries,
        *,
        clock: VersionClock,
        locks: KeyedLocks,
        leftovers: Leftovers,
        default_project: str,
    ) -> None:
        """`clock`, `locks` and `leftovers` are shared with everything else that writes rows of datasets."""
        self._store = store
        self._queries = queries
        self._clock = clock
        self._locks = locks
        self._leftovers = leftovers
        self._registry = Registry(store, clock)
        self._jobs = Jobs(store, clock)
        self._promotions = Promotions(store, self._jobs, clock=clock, leftovers=leftovers)
        self._default_project = default_project

    async def promote(self, request: pb.PromoteRequest, call: Call) -> pb.PromoteResponse:
        """Copies rows, or says what would be copied."""
        spec, name = self._read(request, call)
        dataset = await asyncio.to_thread(self._registry.named, spec.project, name)
        if request.dry_run:
            return await self._dry_run(spec, dataset, name, call)
        # Refused before a dataset is made for it.
        has_schema = dataset is not None and bool(dataset.input_schema or dataset.expected_schema)
        checked = await self._check(spec, call, with_facts=has_schema)
        return await finished(self._copy(checked, await self._dataset(spec.project, name, dataset), call))

    async def create_promote_job(self, request: pb.PromoteRequest, call: Call) -> pb.CreatePromoteJobResponse:
        """Sets rows aside."""
        spec, name = self._read(request, call)
        checked = await self._check(spec, call, with_facts=True)
        dataset = await self._dataset(spec.project, name)
        job = await asyncio.to_thread(self._promotions.set_aside, checked, dataset)
        return pb.CreatePromoteJobResponse(job=job_message(job))

    async def list_promote_jobs(self, request: pb.ListPromoteJobsRequest, call: Call) -> pb.ListPromoteJobsResponse:
        """The jobs of a project."""
        project = call.project(request.project)
        jobs = await asyncio.to_thread(self._jobs.of_project, project)
        return pb.ListPromoteJobsResponse(jobs=[job_message(job) for job in jobs])

    async def get_promote_job(self, request: pb.GetPromoteJobRequest, call: Call) -> pb.GetPromoteJobResponse:
        """One job."""
        return pb.GetPromoteJobResponse(job=job_message(await self._job(request.job_id, call)))

    async def fetch_promote_job_rows(
        self, request: pb.FetchPromoteJobRowsRequest, call: Call
    ) -> pb.FetchPromoteJobRowsResponse:
        """The next rows."""
        if not 0 <= request.limit <= MAX_JOB_PAGE:
            raise invalid("limit", f"expected 0 to {MAX_JOB_PAGE}, got {request.limit}")
        job = await self._job(request.job_id, call)
        rows = await asyncio.to_thread(self._jobs.page, job, request.limit)
        done = int(rows[-1]["number"]) if rows else job.done
        return pb.FetchPromoteJobRowsResponse(rows=[source_row(row) for row in rows], done=done)

    async def write_promote_job_rows(
        self, request: pb.WritePromoteJobRowsRequest, call: Call
    ) -> pb.WritePromoteJobRowsResponse:
        """Stores rows, then counts their sources as done."""
        writes = await asyncio.to_thread(read_rows, request.rows, call.problems, is_merge=False)
        job = await self._job(request.job_id, call)
        dataset = await asyncio.to_thread(self._registry.find, job.dataset_id)
        writer = RowWriter(self._store, dataset, self._clock)

        def write() -> Job:
            with self._leftovers.writing(dataset):
                written = writer.write(writes, is_merge=False, operation="promote", key_id=call.principal.key_id)
            current = self._jobs.find(job.id)
            if not current.done <= request.done <= current.total:
                # The same page again, or one from before: its rows are there, the job is further.
                return current
            is_done = request.done == current.total
            saved = self._jobs.save(
                replace(
                    current,
                    done=request.done,
                    written=current.written + written.inserted + written.updated,
                    state="done" if is_done else "waiting",
                )
            )
            if is_done:
                self._jobs.forget(saved)
            return saved

        async with self._locks.hold([(dataset.project, dataset.id)]):
            saved = await asyncio.to_thread(write)
        results = [datasets_pb2.DatasetRowResult(id=each.given.id, error=str(each.error or "")) for each in writes]
        return pb.WritePromoteJobRowsResponse(job=job_message(saved), results=results)

    async def delete_promote_job(self, request: pb.DeletePromoteJobRequest, call: Call) -> pb.DeletePromoteJobResponse:
        """Ends a job."""
        job = await self._job(request.job_id, call)
        await asyncio.to_thread(self._jobs.save, replace(job, state="deleted"))
        await asyncio.to_thread(self._jobs.forget, job)
        return pb.DeletePromoteJobResponse()

    async def get_lineage(self, request: pb.GetLineageRequest, call: Call) -> pb.GetLineageResponse:
        """Both ways from a row."""
        if not request.id:
            raise invalid("id", "say which row: the id of a log row, dataset row or eval row")
        project = call.project(request.project, self._default_project)

        def read() -> pb.GetLineageResponse:
            lineage = Lineage(self._store, project)
            sources, uses = lineage.sources(request.id), lineage.uses(request.id)
            names = lineage.names([*sources, *uses])
            return pb.GetLineageResponse(
                sources=[step_message(step, names) for step in sources],
                uses=[step_message(step, names) for step in uses],
            )

        return await asyncio.to_thread(read)

    def _read(self, request: pb.PromoteRequest, call: Call) -> tuple[PromoteSpec, str]:
        call.principal.require(Scope.READ)
        project = call.project(request.project, self._default_project)
        if not request.dataset.strip():
            raise invalid("dataset", "say which dataset the rows go to")
        return read_spec(request, project), read_name(request.dataset)

    async def _check(self, spec: PromoteSpec, call: Call, *, with_facts: bool = False) -> Checked:
        await asyncio.to_thread(self._check_syntax, spec)
        rows, settings = await self._queries.checked(
            source_select(spec, with_facts=with_facts), principal=call.principal
        )
        count, _ = await self._queries.checked(count_select(spec), principal=call.principal)
        checked = Checked(spec, rows, count, settings)
        await asyncio.to_thread(self._promotions.analyse, checked)
        return checked

    def _check_syntax(self, spec: PromoteSpec) -> None:
        """Each expression by itself, so that an error names its field."""
        fields = {f"fields.{name}": sql for name, sql in spec.fields.items()}
        for field, sql in {"where": spec.where, "group_by": spec.group_by, **fields}.items():
            if sql:
                select_of(self._store, sql, field=field)

    async def _copy(self, checked: Checked, dataset: DatasetRecord, call: Call) -> pb.PromoteResponse:
        async with self._locks.hold([(dataset.project, dataset.id)]):
            return await asyncio.to_thread(self._promotions.write, checked, dataset, call.principal.key_id)

    async def _dataset(self, project: str, name: str, found: DatasetRecord | None = None) -> DatasetRecord:
        if found is not None:
            return found
        async with self._locks.hold([(project, name)]):
            known = await asyncio.to_thread(self._registry.named, project, name)
            if known is not None:
                return known
            return await asyncio.to_thread(self._registry.add, DatasetRecord(project=project, id="", name=name))

    async def _dry_run(
        self, spec: PromoteSpec, dataset: DatasetRecord | None, name: str, call: Call
    ) -> pb.PromoteResponse:
        checked = await self._check(spec, call)
        # One that does not exist has no rows: none is known.
        target = dataset or DatasetRecord(project=spec.project, id="", name=name)
        with self._queries.errand() as errand:
            answer = await asyncio.to_thread(self._promotions.look, checked, target, errand)
        if dataset is not None:
            answer.dataset.CopyFrom(dataset_message(self._store, dataset))
        return answer

    async def _job(self, job_id: str, call: Call) -> Job:
        job = await asyncio.to_thread(self._jobs.find, job_id)
        try:
            call.principal.require_project(job.project)
        except PermissionDeniedError:
            raise NotFoundError(f"job_id: there is no promotion job {job_id!r}") from None
        return job
