"""Traces and groups wait here until nothing new has come for a while. Calls to ClickHouse block."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from spanloop_collector.score.matching import group_key, rows_of
from spanloop_collector.score.rule import GROUP, Rule
from spanloop_collector.score.rulebook import RuleBook
from spanloop_collector.score.task import Task

LOOK_EVERY_SECONDS = 0.5
LOOK_BACK_SECONDS = 24 * 3600
"""Rows of a group that are older than its queued task by more than this count as another time."""
MAX_AT_ONCE = 1000


class RowDatabase(Protocol):
    """The store, as far as looking at rows needs it."""

    @property
    def database(self) -> str: ...

    def query(self, sql: str, parameters: dict[str, Any] | None = None) -> Any: ...


class IdleWatch:
    """Parked tasks, each with the time when it is worth looking again."""

    def __init__(self, store: RowDatabase, book: RuleBook, *, now: Callable[[], float] = time.time) -> None:
        self._store = store
        self._book = book
        self._now = now
        self._parked: dict[str, tuple[float, Task]] = {}
        self._look_at = 0.0

    @property
    def held(self) -> int:
        """Tasks that wait."""
        return len(self._parked)

    def park(self, task: Task) -> None:
        """Keeps a task until its trace or group is idle."""
        self._parked[task.id] = (self._now(), task)

    def keep(self, is_ours: Callable[[Task], bool]) -> list[Task]:
        """Forgets the tasks that are not ours, and returns them."""
        lost = [task for _, task in self._parked.values() if not is_ours(task)]
        for task in lost:
            del self._parked[task.id]
        return lost

    def due(self) -> list[Task]:
        """Tasks whose trace or group is idle; they wait here no longer. Blocks."""
        now = self._now()
        if now < self._look_at or not self._parked:
            return []
        self._look_at = now + LOOK_EVERY_SECONDS
        ready: list[Task] = []
        by_rule: dict[tuple[str, int], list[Task]] = {}
        for at, task in list(self._parked.values()):
            if at <= now:
                by_rule.setdefault((task.rule_id, task.revision), []).append(task)
        for (rule_id, revision), tasks in by_rule.items():
            rule = self._book.revision(rule_id, revision)
            if rule is None:
                for task in tasks:
                    del self._parked[task.id]
                continue
            ready += self._idle_of(rule, tasks[:MAX_AT_ONCE], now)
        return ready

    def _idle_of(self, rule: Rule, tasks: Sequence[Task], now: float) -> list[Task]:
        newest = self._newest(rule, tasks)
        ready = []
        for task in tasks:
            # A row that is gone leaves nothing to wait for.
            idle_at = newest.get((task.project, task.trace_id or task.group_key), 0.0) + rule.scope.idle_seconds
            if idle_at <= now:
                del self._parked[task.id]
                ready.append(task)
            else:
                self._parked[task.id] = (idle_at, task)
        return ready

    def _newest(self, rule: Rule, tasks: Sequence[Task]) -> dict[tuple[str, str], float]:
        """By project and trace or group: when its newest row was received, in Unix seconds."""
        key, where = task_rows(rule, tasks)
        rows = rows_of(self._store.database, where)
        sql = f"SELECT project, {key} AS key, toUnixTimestamp64Micro(max(received)) FROM {rows} GROUP BY project, key"
        found = self._store.query(sql, task_parameters(tasks)).result_rows
        return {(project, key): us / 1e6 for project, key, us in found}


def task_rows(rule: Rule, tasks: Sequence[Task]) -> tuple[str, str]:
    """SQL for the key that a row shares with its trace or group, and a condition for the rows of these tasks."""
    if rule.scope.type != GROUP:
        return "trace_id", "project IN {projects:Array(String)} AND trace_id IN {keys:Array(String)}"
    key = group_key(rule)
    return key, (
        "project IN {projects:Array(String)} AND created BETWEEN fromUnixTimestamp64Nano({first:Int64}, 'UTC') "
        f"AND fromUnixTimestamp64Nano({{last:Int64}}, 'UTC') AND {key} IN {{keys:Array(String)}}"
    )


def task_parameters(tasks: Sequence[Task]) -> dict[str, Any]:
    """What `task_rows` refers to."""
    return {
        "projects": sorted({task.project for task in tasks}),
        "keys": sorted({task.trace_id or task.group_key for task in tasks}),
        "first": min(task.created_ns for task in tasks) - LOOK_BACK_SECONDS * 10**9,
        "last": max(task.ended_ns for task in tasks) + LOOK_BACK_SECONDS * 10**9,
    }
