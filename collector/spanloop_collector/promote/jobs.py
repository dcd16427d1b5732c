"""Jobs: promotions whose rows are set aside in a fixed order, to be worked through by a program that may stop.

Calls block: use them in a thread.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from clickhouse_connect.driver.client import Client

from spanloop_collector.datasets.clock import VersionClock
from spanloop_collector.datasets.database import Database
from spanloop_collector.datasets.reader import PAGE_BYTES
from spanloop_collector.errors import NotFoundError
from spanloop_collector.promote.copy import Copy
from spanloop_collector.promote.sources import LOGS_COLUMNS
from spanloop_collector.schema.cluster import on_cluster, stored
from spanloop_collector.schema.fragments import sql_text

COLUMNS = ("project", "id", "dataset_id", "state", "total", "done", "written", "created", "updated", "version")
MAPPED = "input, expected, metadata, metadata_json, tags, origin"
FACTS = ", ".join(LOGS_COLUMNS)
PAGE_ROWS = 100

READ_JOBS = """
SELECT project, id, dataset_id, state, total, done, written,
    toUnixTimestamp64Milli(created) AS created_ms, toUnixTimestamp64Milli(updated) AS updated_ms, version
FROM {database:Identifier}.promote_jobs FINAL
WHERE ({project:String} = '' OR project = {project:String}) AND ({id:String} = '' OR id = {id:String})
    AND state != 'deleted'
ORDER BY created DESC, id
"""

READ_PAGE = f"""
SELECT number, id, {MAPPED}, {FACTS}, false AS is_deleted, toUInt64(0) AS version, toInt64(0) AS created_unix_nano,
    toString(source_created) AS source_created_text
FROM
(
    SELECT *, sum(length(input) + length(expected) + length(output) + length(origin)) OVER (ORDER BY number) AS bytes
    FROM
    (
        SELECT * FROM {{database:Identifier}}.promote_job_rows
        WHERE project = {{project:String}} AND job_id = {{job_id:String}}
            AND number > {{done:UInt64}} AND number <= {{done:UInt64}} + {{limit:UInt64}}
        ORDER BY number LIMIT 1 BY number
    )
)
WHERE bytes <= {PAGE_BYTES} OR number = {{done:UInt64}} + 1
ORDER BY number
"""


@dataclass(frozen=True, slots=True)
class Job:
    """A job and how far it is."""

    project: str
    id: str
    dataset_id: str
    state: str = "waiting"
    """waiting, done or deleted."""
    total: int = 0
    """Rows set aside, numbered from 1."""
    done: int = 0
    """Number of the last row that something was made of."""
    written: int = 0
    """Dataset rows written."""
    created_ms: int = 0
    updated_ms: int = 0
    version: int = 0


class Jobs:
    """Jobs by id."""

    def __init__(self, store: Database, clock: VersionClock) -> None:
        self._store = store
        self._clock = clock

    def find(self, job_id: str) -> Job:
        """The job; raises NotFoundError for one that does not exist."""
        found = self._read(id=job_id) if job_id else []
        if not found:
            raise NotFoundError(f"job_id: there is no promotion job {job_id!r}")
        return found[0]

    def of_project(self, project: str) -> list[Job]:
        """The jobs of a project, newest first; an empty project means all."""
        return self._read(project=project)

    def create(self, client: Client, copy: Copy) -> Job:
        """Sets the promotion's rows aside. `client` reads views without naming the database."""
        dataset, job_id = copy.dataset, str(uuid.uuid4())
        client.command(
            f"INSERT INTO {self._store.database}.promote_job_rows (project, job_id, number, id, {MAPPED}, {FACTS}) "
            f"SELECT {sql_text(dataset.project)}, {sql_text(job_id)}, rowNumberInAllBlocks() + 1, row_id, "
            f"{MAPPED}, {FACTS} FROM (SELECT * FROM ({copy.rows_to_stage()}) ORDER BY source_created, row_id)"
            + copy.settings()
        )
        counted = self._store.query(
            f"SELECT count() FROM {self._store.database}.promote_job_rows "
            "WHERE project = {project:String} AND job_id = {job_id:String}",
            {"project": dataset.project, "job_id": job_id},
        )
        total = int(counted.result_rows[0][0])
        state = "waiting" if total else "done"
        return self.save(Job(dataset.project, job_id, dataset.id, state, total, created_ms=_now_ms()))

    def page(self, job: Job, limit: int) -> Sequence[dict[str, Any]]:
        """The next rows that are not done."""
        parameters: dict[str, Any] = {
            "database": self._store.database,
            "project": job.project,
            "job_id": job.id,
            "done": job.done,
            "limit": limit or PAGE_ROWS,
        }
        return list(self._store.query(READ_PAGE, parameters).named_results())

    def save(self, job: Job) -> Job:
        """Stores how far the job is."""
        saved = replace(job, updated_ms=_now_ms(), version=self._clock.next(after=job.version))
        values = (
            saved.project,
            saved.id,
            saved.dataset_id,
            saved.state,
            saved.total,
            saved.done,
            saved.written,
            _time(saved.created_ms),
            _time(saved.updated_ms),
            saved.version,
        )
        self._store.insert_rows("promote_jobs", [values], COLUMNS)
        return saved

    def forget(self, job: Job) -> None:
        """Deletes the rows set aside."""
        table = stored("promote_job_rows", self._store.cluster)
        self._store.command(
            f"DELETE FROM {self._store.database}.{table} {on_cluster(self._store.cluster)} "
            "WHERE project = {project:String} AND job_id = {job_id:String}",
            {"project": job.project, "job_id": job.id},
        )

    def _read(self, *, project: str = "", id: str = "") -> list[Job]:
        parameters = {"database": self._store.database, "project": project, "id": id}
        return [Job(**row) for row in self._store.query(READ_JOBS, parameters).named_results()]


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
