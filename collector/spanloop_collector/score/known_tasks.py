"""Tasks that are known here, so that their line in the queue is not read as a new one."""

from __future__ import annotations

import time
from collections.abc import Callable

KNOWN_SECONDS = 120.0
"""How long a finished task is remembered: the queue is looked through again for half as long."""


class KnownTasks:
    """Ids of tasks that wait, that a worker has, or that were finished a moment ago."""

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._in_hand: set[str] = set()
        self._finished: dict[str, float] = {}

    def __contains__(self, id: str) -> bool:
        return id in self._in_hand or id in self._finished

    def add(self, id: str) -> None:
        """It was read from the queue."""
        self._in_hand.add(id)

    def let_go(self, id: str) -> None:
        """It is no business of this collector any more; read again, it would be new."""
        self._in_hand.discard(id)

    def finish(self, id: str) -> None:
        """It is done."""
        self._in_hand.discard(id)
        self._finished[id] = self._now()

    def forget_old(self) -> None:
        """Drops those that were finished long ago."""
        late = self._now() - KNOWN_SECONDS
        # In the order in which they were finished.
        while self._finished and (first := next(iter(self._finished.items())))[1] < late:
            del self._finished[first[0]]
