"""Tasks of this collector's slots on their way from the queue into memory: as many as there is room for, each once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from spanloop_collector.score.idle import IdleWatch
from spanloop_collector.score.known_tasks import KnownTasks
from spanloop_collector.score.line import Lines
from spanloop_collector.score.queue_reader import QueueReader
from spanloop_collector.score.slots import Slots
from spanloop_collector.score.task import Task

READ_OTHERS_SECONDS = 0.5
"""How often the queue is read for what other collectors put there. Who puts something there here, says so."""
READ_SECONDS = 5.0
MAX_HELD = 20_000
PAGE_ROWS = 10_000


class Intake:
    """Puts tasks in their lines: those of rows at once, those of traces and groups when these are idle."""

    def __init__(
        self,
        reader: QueueReader,
        lines: Lines,
        known: KnownTasks,
        *,
        idle: IdleWatch,
        slots: Slots,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reader = reader
        self._lines = lines
        self._known = known
        self._idle = idle
        self._slots = slots
        self._now = now
        self._read_at = 0.0
        self.owned = slots.owned()
        """The slots whose tasks were taken in."""

    @property
    def held(self) -> int:
        """Tasks in memory that nobody has yet."""
        return len(self._lines) + self._idle.held

    @property
    def is_caught_up(self) -> bool:
        """Whether everything that is queued is in memory."""
        return self._reader.is_at_end

    def read_soon(self) -> None:
        """Says that there may be new tasks. May be called from any thread."""
        self._read_at = 0.0

    async def take_in(self, *, has_rules: bool) -> float:
        """Takes in what is due; returns the seconds until the queue is to be read again."""
        now = self._now()
        self._known.forget_old()
        self._lines.wake(now)
        self._let_go_of_others()
        if self._idle.held:
            for task in await asyncio.to_thread(self._idle.due):
                self._lines.add(task)
        read_every = READ_OTHERS_SECONDS if self._slots.has_others and has_rules else READ_SECONDS
        if self.held < MAX_HELD and now >= self._read_at:
            # Before it is read: whoever says that there is more, says it meanwhile.
            self._read_at = now + read_every
            tasks = await asyncio.to_thread(
                self._reader.read, self._slots.owned(), is_known=self._known.__contains__, limit=PAGE_ROWS
            )
            for task in tasks:
                self._hold(task)
            if not self._reader.is_at_end:
                self.read_soon()
                return 0.0
        return read_every

    def _let_go_of_others(self) -> None:
        """Forgets the tasks of slots that another collector hands out now; those under way may come back here."""
        owned = self._slots.owned()
        if owned == self.owned:
            return
        self.owned = owned
        for task in (*self._lines.keep(self._is_ours), *self._idle.keep(self._is_ours)):
            self._known.let_go(task.id)
        self.read_soon()

    def _is_ours(self, task: Task) -> bool:
        return task.slot in self.owned

    def _hold(self, task: Task) -> None:
        if task.id in self._known:
            return
        self._known.add(task.id)
        if task.is_span:
            self._lines.add(task)
        else:
            self._idle.park(task)
