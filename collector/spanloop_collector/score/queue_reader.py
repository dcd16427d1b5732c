"""Reads tasks that nobody has done yet from `scoring_queue`, in order of arrival. Calls block."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from spanloop_collector.score.task import Task

# A statement's rows carry the time it started and show once it is through: so far back is read again each time.
OVERLAP_US = 2_000_000
# What was stored later than that is found by looking back further, now and then.
SWEEP_US = 60_000_000
SWEEP_EVERY_SECONDS = 10.0

# The first condition is for the primary key's index, which does not understand the second.
PAGE = """
FROM {database:Identifier}.scoring_queue
WHERE queued >= fromUnixTimestamp64Micro({since_us:Int64}, 'UTC')
    AND (queued, task_id) > (fromUnixTimestamp64Micro({since_us:Int64}, 'UTC'), {since_id:String})
    AND has({slots:Array(UInt8)}, slot)
"""
# Looked up by their ids, those of a page.
DONE_OF_PAGE = f"""
AND task_id NOT IN
(
    SELECT task_id FROM {{database:Identifier}}.scoring_done WHERE task_id IN (SELECT task_id {PAGE})
)
"""
# All there are, as numbers: where the page is the whole queue, this takes a tenth of the memory.
DONE = """
AND reinterpretAsUInt128(unhex(task_id)) NOT IN
(
    SELECT reinterpretAsUInt128(unhex(task_id)) FROM {database:Identifier}.scoring_done
)
"""
READ_TASKS = f"""
SELECT
    toUnixTimestamp64Micro(queued) AS queued_us, task_id, project, rule_id, rule_version, scorer, trace_id, span_id,
    group_key, toUnixTimestamp64Nano(created), toUnixTimestamp64Nano(ended), probability, run, backfill, slot
{PAGE} %s
ORDER BY queued, task_id
LIMIT {{limit:UInt32}}
"""
READ_ANY = f"SELECT 1 {PAGE} LIMIT 1"
"""Costs a fraction of the whole statement, and mostly there is nothing."""
SETTINGS = {"max_threads": "1", "query_plan_optimize_lazy_materialization": "0"}


class QueueDatabase(Protocol):
    """The store, as far as reading the queue needs it."""

    @property
    def database(self) -> str: ...

    def query(
        self, sql: str, parameters: dict[str, Any] | None = None, settings: Mapping[str, Any] | None = None
    ) -> Any: ...


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the queue."""

    queued_us: int = 0
    task_id: str = ""


class QueueReader:
    """Goes through the queue once, for a set of slots; what came late is found again."""

    def __init__(self, store: QueueDatabase, *, now: Callable[[], float] = time.time) -> None:
        self._store = store
        self._now = now
        self._place = Place()
        self._slots: frozenset[int] = frozenset()
        self._sweep_at = 0.0
        self.is_at_end = False
        """Whether the last page held everything there was."""

    def read(self, slots: Iterable[int], *, is_known: Callable[[str], bool], limit: int) -> list[Task]:
        """The next tasks that are not done and not known to the caller, neighbours where their rows are neighbours."""
        slots = frozenset(slots)
        if slots - self._slots:
            # Slots of another collector: what waits there may lie anywhere.
            self._place = Place()
        self._slots = slots
        if not slots:
            self.is_at_end = True
            return []
        now = self._now()
        start = self._place
        if self.is_at_end and now >= self._sweep_at:
            self._sweep_at = now + SWEEP_EVERY_SECONDS
            start = Place(min(self._place.queued_us, int(now * 1e6) - SWEEP_US))
        rows = self._page(start, sorted(slots), limit)
        tasks = {row[1]: Task(*row[1:]) for row in rows if not is_known(row[1])}
        self._advance(rows, limit, now)
        # In order of arrival, those of one moment lie in no order: their rows would be read from everywhere at once.
        return sorted(tasks.values(), key=lambda task: (task.project, task.created_ns))

    def _page(self, start: Place, slots: list[int], limit: int) -> list[tuple[Any, ...]]:
        parameters = {
            "database": self._store.database,
            "since_us": max(start.queued_us, 0),
            "since_id": start.task_id,
            "slots": slots,
            "limit": limit,
        }
        if not self._store.query(READ_ANY, parameters, SETTINGS).result_rows:
            return []
        is_whole_queue = start == Place()
        read_tasks = READ_TASKS % (DONE if is_whole_queue else DONE_OF_PAGE)
        return list(self._store.query(read_tasks, parameters, SETTINGS).result_rows)

    def _advance(self, rows: Sequence[tuple[Any, ...]], limit: int, now: float) -> None:
        self.is_at_end = len(rows) < limit
        if not self.is_at_end:
            self._place = Place(rows[-1][0], rows[-1][1])
            return
        settled = int(now * 1e6) - OVERLAP_US
        if settled > self._place.queued_us:
            self._place = Place(settled)
