"""Threads for tasks and scorers that block, many calls to a wake-up of the event loop.

`loop.run_in_executor` wakes a thread and the loop for each call, which for quick scorers takes longer than the
scorers. Here quick calls stand in line for one thread, and whatever finished since the loop last looked is handed over
together. A call in that line that turns out to be slow gets the line another thread.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

SLOW_SECONDS = 0.05
"""A call in the line of quick ones that takes longer does not hold up the others."""

_Job = tuple[Callable[[], Any], "asyncio.Future[Any]"]


class Threads:
    """As many threads as calls are under way, up to a bound, and one for quick calls."""

    def __init__(self, loop: asyncio.AbstractEventLoop, max_threads: int) -> None:
        self._loop = loop
        self._done: deque[tuple[asyncio.Future[Any], Any, BaseException | None]] = deque()
        self._is_waking = False
        self._lock = threading.Lock()  # protects _is_waking and the pools' counts
        self._slow = _Pool(self, max_threads)
        self._quick = _Pool(self, 1)
        self._watch: asyncio.TimerHandle | None = None

    def run(self, call: Callable[[], Any], *, is_quick: bool = False) -> asyncio.Future[Any]:
        """The call's result, from a thread; call this in the loop."""
        future: asyncio.Future[Any] = self._loop.create_future()
        if is_quick:
            self._quick.put((call, future))
            if self._watch is None:
                self._watch = self._loop.call_later(SLOW_SECONDS, self._look_at_line)
        else:
            self._slow.put((call, future))
        return future

    def _look_at_line(self) -> None:
        """Gives the line another thread while one of its calls is slow."""
        self._watch = None
        if self._quick.is_stuck(SLOW_SECONDS):
            self._quick.grow()
        if self._quick.under_way:
            self._watch = self._loop.call_later(SLOW_SECONDS, self._look_at_line)

    def close(self) -> None:
        """Lets the threads end once they are idle; one that is stuck in a call does not keep the process."""
        if self._watch is not None:
            self._watch.cancel()
        for pool in (self._slow, self._quick):
            pool.close()

    def finished(self, future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
        """Called by threads with what came of a call."""
        self._done.append((future, result, error))
        with self._lock:
            wakes, self._is_waking = not self._is_waking, True
        if wakes:
            try:
                self._loop.call_soon_threadsafe(self._hand_over)
            except RuntimeError:  # the loop was closed: nobody waits for the result any more
                return

    def _hand_over(self) -> None:
        with self._lock:
            self._is_waking = False
        while self._done:
            future, result, error = self._done.popleft()
            if future.done():  # cancelled
                continue
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(_as_settable(error))


class _Pool:
    """Threads that take calls from one queue, started as they are needed."""

    def __init__(self, owner: Threads, max_threads: int) -> None:
        self._owner = owner
        self._max_threads = max_threads
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()  # protects under_way
        self.under_way = 0
        self._moved = 0.0

    def put(self, job: _Job) -> None:
        """Adds a call, and a thread if every one there is has something to do."""
        with self._lock:
            self.under_way += 1
            is_short = self.under_way > len(self._threads) and len(self._threads) < self._max_threads
            if self.under_way == 1:
                self._moved = time.monotonic()
        self._jobs.put(job)
        if is_short:
            self._start()

    def is_stuck(self, seconds: float) -> bool:
        """Whether calls are under way and none has ended for so long."""
        return self.under_way > 0 and time.monotonic() - self._moved > seconds

    def grow(self) -> None:
        """One more thread."""
        self._start()

    def close(self) -> None:
        for _ in self._threads:
            self._jobs.put(None)

    def _start(self) -> None:
        thread = threading.Thread(target=self._work, name="spanloop-eval", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            call, future = job
            result, error = None, None
            try:
                result = call()
            except BaseException as raised:
                error = raised
            with self._lock:
                self.under_way -= 1
            self._moved = time.monotonic()
            self._owner.finished(future, result, error)


def _as_settable(error: BaseException) -> BaseException:
    """A future refuses StopIteration, which would end the loop of whoever awaits it."""
    if isinstance(error, StopIteration):
        wrapped = RuntimeError(f"StopIteration: {error}")
        wrapped.__cause__ = error
        return wrapped
    return error
