"""How many tasks of a scorer a worker may have: as many as are scored at once, and where that is quick some ahead."""

from __future__ import annotations

from collections import Counter

from spanloop_collector.score.line import Key

AHEAD_SECONDS = 1.0
"""A worker has as many tasks as take so long: handing out one for each that comes back would take longer than it."""
MAX_AHEAD = 4000
SHARE_OF_NEWEST = 0.1


class UnderWay:
    """The tasks that workers have, by scorer."""

    def __init__(self) -> None:
        self._by_worker: dict[Key, Counter[str]] = {}
        self._seconds: dict[Key, float] = {}

    def room(self, key: Key, worker: str, *, concurrency: int, may_go_ahead: bool = True) -> int:
        """How many more the worker may have.

        It runs no more than `concurrency` at once, so tasks go ahead only as long as no other worker has any.
        """
        workers = self._by_worker.get(key, Counter())
        goes_ahead = may_go_ahead and key in self._seconds and workers.total() == workers[worker]
        ahead = int(concurrency * AHEAD_SECONDS / self._seconds[key]) if goes_ahead else 0
        return max(concurrency, min(ahead, MAX_AHEAD)) - workers.total()

    def add(self, key: Key, worker: str) -> None:
        """The worker has one more."""
        self._by_worker.setdefault(key, Counter())[worker] += 1

    def remove(self, key: Key, worker: str) -> None:
        """The worker has one less."""
        workers = self._by_worker[key]
        workers[worker] -= 1
        if not workers[worker]:
            del workers[worker]

    def took(self, key: Key, seconds: float) -> None:
        """A call of the scorer has taken so long."""
        if seconds > 0:
            before = self._seconds.get(key, seconds)
            self._seconds[key] = before + SHARE_OF_NEWEST * (seconds - before)
