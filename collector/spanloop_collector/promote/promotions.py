"""Runs promotions, each with a client of its own: looks at what would be copied, copies it, sets it aside for a job.

Calls block: use them in a thread.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import closing
from typing import NoReturn, TypeVar

from clickhouse_connect.driver.client import Client
from spanloop.v1 import promote_pb2 as pb

from spanloop_collector.datasets.answers import dataset_message, stored_row_message, version_text
from spanloop_collector.datasets.clock import VersionClock
from spanloop_collector.datasets.history import Change, record_change
from spanloop_collector.datasets.leftovers import Leftovers
from spanloop_collector.datasets.registry import DatasetRecord
from spanloop_collector.errors import QueryError
from spanloop_collector.promote.checked_copy import SchemaCopy
from spanloop_collector.promote.copy import Checked, Copy
from spanloop_collector.promote.jobs import Job, Jobs
from spanloop_collector.query.errands import Errand
from spanloop_collector.query.reader import translate
from spanloop_collector.store import Store
from spanloop_collector.store.connect import connect

_SCOPE = re.compile(r"[:.]? [Ii]n scope .*?(?= \([A-Z_]+\)$|$)", re.DOTALL)

Answer = TypeVar("Answer")


class Promotions:
    """Promotions over one store; who writes holds the dataset's lock."""

    def __init__(self, store: Store, jobs: Jobs, *, clock: VersionClock, leftovers: Leftovers) -> None:
        self._store = store
        self._jobs = jobs
        self._clock = clock
        self._leftovers = leftovers

    def analyse(self, checked: Checked) -> None:
        """Raises QueryError for an expression that ClickHouse cannot run."""
        nowhere = DatasetRecord(project=checked.spec.project, id="", name="")
        self._with_client(lambda client: self._copy(client, checked, nowhere).analyse())

    def look(self, checked: Checked, dataset: DatasetRecord, errand: Errand) -> pb.PromoteResponse:
        """What would be copied."""

        def look(client: Client) -> pb.PromoteResponse:
            copy = Copy(client, self._store.database, dataset, checked, errand)
            rows = [stored_row_message(row) for row in copy.preview()]
            return pb.PromoteResponse(matched=copy.matched(), inserted=copy.new(), rows=rows)

        return self._with_client(look)

    def set_aside(self, checked: Checked, dataset: DatasetRecord) -> Job:
        """A job with the rows."""
        return self._with_client(lambda client: self._jobs.create(client, self._copy(client, checked, dataset)))

    def write(self, checked: Checked, dataset: DatasetRecord, key_id: str) -> pb.PromoteResponse:
        """Copies the rows."""
        answer = pb.PromoteResponse()
        has_schema = dataset.input_schema or dataset.expected_schema
        write = self._write_checked if has_schema else self._write_all
        with self._leftovers.writing(dataset):
            # None where rows were checked one by one: then nobody has counted the dataset.
            row_count = self._with_client(lambda client: write(client, checked, dataset, key_id, answer))
        answer.dataset.CopyFrom(dataset_message(self._store, dataset, row_count))
        return answer

    def _write_all(
        self, client: Client, checked: Checked, dataset: DatasetRecord, key_id: str, answer: pb.PromoteResponse
    ) -> int:
        copy = self._copy(client, checked, dataset)
        version = self._clock.next(after=copy.newest_version())
        written = copy.write(version)
        answer.inserted, answer.updated = written.inserted, written.updated
        if answer.inserted or answer.updated:
            change = Change(version, "promote", answer.inserted, answer.updated, key_id=key_id)
            record_change(self._store, dataset, change)
            answer.version = version_text(version)
        # Into an empty dataset everything goes, unless rows were dropped as repetitions.
        is_first = copy.is_first and checked.spec.deduplicate != "input" and "id" not in checked.spec.fields
        answer.matched = answer.inserted if is_first else copy.matched()
        return written.row_count

    def _write_checked(
        self, client: Client, checked: Checked, dataset: DatasetRecord, key_id: str, answer: pb.PromoteResponse
    ) -> None:
        """Rows of a dataset with schemas are read and checked one by one."""
        copy = self._copy(client, checked, dataset)
        SchemaCopy(self._store, self._jobs, dataset, self._clock).run(copy, client, key_id, answer)
        answer.matched = copy.matched()

    def _copy(self, client: Client, checked: Checked, dataset: DatasetRecord) -> Copy:
        return Copy(client, self._store.database, dataset, checked)

    def _with_client(self, work: Callable[[Client], Answer]) -> Answer:
        """What the work makes of a client of its own; ClickHouse's refusals are the caller's."""
        try:
            with closing(connect(self._store.settings, self._store.data_dir, in_database=True)) as client:
                return work(client)
        except Exception as error:
            _raise_as_callers(error)


def _raise_as_callers(error: Exception) -> NoReturn:
    """Raises ClickHouse's error without the statement that was made around the caller's words."""
    try:
        translate(error)
    except QueryError as refused:
        raise QueryError(_SCOPE.sub("", str(refused)), code=refused.code) from error
