"""Tasks that wait to be handed out: a line for each scorer, those of backfills behind the others."""

from __future__ import annotations

import heapq
import itertools
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator

from spanloop_collector.score.task import Task

Key = tuple[str, int, str]


class Line:
    """The tasks of one scorer of one rule."""

    def __init__(self) -> None:
        self._live: deque[Task] = deque()
        self._backfill: deque[Task] = deque()

    def __len__(self) -> int:
        return len(self._live) + len(self._backfill)

    @property
    def backfilled(self) -> int:
        """How many are of backfills, which go on while their rule is disabled."""
        return len(self._backfill)

    def add(self, task: Task, *, is_first: bool = False) -> None:
        """Puts a task at the end, or in front."""
        tasks = self._backfill if task.backfill else self._live
        if is_first:
            tasks.appendleft(task)
        else:
            tasks.append(task)

    def keep(self, is_ours: Callable[[Task], bool]) -> list[Task]:
        """Forgets the tasks that are not ours, and returns them."""
        lost = [task for task in (*self._live, *self._backfill) if not is_ours(task)]
        self._live = deque(filter(is_ours, self._live))
        self._backfill = deque(filter(is_ours, self._backfill))
        return lost

    def take(self, *, only_backfill: bool = False) -> Task:
        """The next task."""
        return self._live.popleft() if self._live and not only_backfill else self._backfill.popleft()


class Lines:
    """All lines, each served in turn: a slow or failing scorer never holds up another."""

    def __init__(self) -> None:
        self._lines: OrderedDict[Key, Line] = OrderedDict()
        self._delayed: list[tuple[float, int, Task]] = []
        self._number = itertools.count()

    def __len__(self) -> int:
        return sum(map(len, self._lines.values())) + len(self._delayed)

    def add(self, task: Task, *, is_first: bool = False) -> None:
        """Puts a task in its line."""
        self._lines.setdefault(task.queue_key, Line()).add(task, is_first=is_first)

    def delay(self, task: Task, until: float) -> None:
        """Puts a task in its line at that time."""
        heapq.heappush(self._delayed, (until, next(self._number), task))

    def wake(self, now: float) -> float:
        """Puts what is due in its line; returns when the next one is."""
        while self._delayed and self._delayed[0][0] <= now:
            self.add(heapq.heappop(self._delayed)[2], is_first=True)
        return self._delayed[0][0] if self._delayed else float("inf")

    def in_turn(self) -> Iterator[tuple[Key, Line]]:
        """Every line that is not empty, the one that was served longest ago first."""
        for key, line in list(self._lines.items()):
            if not len(line):
                del self._lines[key]
                continue
            yield key, line

    def served(self, key: Key) -> None:
        """Moves a line behind the others."""
        self._lines.move_to_end(key)

    def keep(self, is_ours: Callable[[Task], bool]) -> list[Task]:
        """Forgets the tasks that are not ours, and returns them."""
        lost = [task for line in self._lines.values() for task in line.keep(is_ours)]
        lost += [task for _, _, task in self._delayed if not is_ours(task)]
        self._delayed = [each for each in self._delayed if is_ours(each[2])]
        heapq.heapify(self._delayed)
        return lost

    def drop(self, key: Key) -> list[Task]:
        """Forgets a line, and returns its tasks."""
        return self._lines.pop(key, Line()).keep(lambda task: False)
