"""Promotion into a dataset with JSON Schemas: every row is read and checked before it is written. Calls block."""

from __future__ import annotations

from dataclasses import replace

from clickhouse_connect.driver.client import Client
from spanloop.v1 import promote_pb2

from spanloop_collector.datasets.answers import version_text
from spanloop_collector.datasets.clock import VersionClock
from spanloop_collector.datasets.database import Database
from spanloop_collector.datasets.registry import DatasetRecord
from spanloop_collector.datasets.row import read_row
from spanloop_collector.datasets.writer import RowWrite, RowWriter
from spanloop_collector.promote.copy import Copy
from spanloop_collector.promote.jobs import Job, Jobs

PAGE_ROWS = 1_000
SHOWN_ERRORS = 5


class SchemaCopy:
    """Sets the rows aside as a job does, and works through them here."""

    def __init__(self, store: Database, jobs: Jobs, dataset: DatasetRecord, clock: VersionClock) -> None:
        self._jobs = jobs
        self._writer = RowWriter(store, dataset, clock)

    def run(self, copy: Copy, client: Client, key_id: str, answer: promote_pb2.PromoteResponse) -> None:
        """Writes the rows that follow the schemas, and counts into the answer."""
        job = self._jobs.create(client, copy)
        try:
            while rows := self._jobs.page(job, PAGE_ROWS):
                writes = [RowWrite(f"row {row['id']}", read_row(row)) for row in rows]
                self._write(writes, key_id, answer)
                job = replace(job, done=int(rows[-1]["number"]))
        finally:
            self._end(job)

    def _write(self, writes: list[RowWrite], key_id: str, answer: promote_pb2.PromoteResponse) -> None:
        written = self._writer.write(writes, is_merge=False, operation="promote", key_id=key_id)
        errors = [str(write.error) for write in writes if write.error is not None]
        answer.inserted += written.inserted
        answer.updated += written.updated
        answer.rejected += len(errors)
        answer.errors.extend(errors[: max(SHOWN_ERRORS - len(answer.errors), 0)])
        if written.version:
            answer.version = version_text(written.version)

    def _end(self, job: Job) -> None:
        # Nobody goes on with it: the same promotion again is the way to.
        self._jobs.save(replace(job, state="deleted"))
        self._jobs.forget(job)
