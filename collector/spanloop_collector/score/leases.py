"""Which worker has which task, and until when."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from spanloop_collector.score.task import Task

LEASE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Lease:
    """A task that a worker has."""

    task: Task
    worker: str
    until: float


class Leases:
    """The tasks that workers have from this collector."""

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._leases: dict[str, Lease] = {}

    def __len__(self) -> int:
        return len(self._leases)

    def give(self, task: Task, worker: str) -> None:
        """The worker has the task from now on."""
        self._leases[task.id] = Lease(task, worker, self._now() + LEASE_SECONDS)

    def keep(self, task: Task) -> None:
        """More is known about a task than when it was given."""
        if lease := self._leases.get(task.id):
            self._leases[task.id] = replace(lease, task=task)

    def find(self, id: str) -> Lease | None:
        """The lease of that task; None when nobody has it from here."""
        return self._leases.get(id)

    def extend(self, id: str) -> None:
        """Begins the lease anew."""
        self._leases[id] = replace(self._leases[id], until=self._now() + LEASE_SECONDS)

    def end(self, id: str, worker: str) -> Task | None:
        """Takes the task back; None when the worker does not have it."""
        lease = self._leases.get(id)
        if lease is None or lease.worker != worker:
            return None
        return self._leases.pop(id).task

    def of(self, worker: str) -> list[Lease]:
        """What the worker has."""
        return [lease for lease in self._leases.values() if lease.worker == worker]

    def run_out(self) -> list[Lease]:
        """The leases whose time is over."""
        now = self._now()
        return [lease for lease in self._leases.values() if lease.until <= now]
