"""Threads for tasks and scorers that block, many calls to a wake-up of the event loop.

`loop.run_in_executor` wakes the loop once for each call, which for quick scorers takes longer than the scorers.
Here whatever finished since the loop last looked is handed over together.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

IDLE_SECONDS = 5.0

_Job = tuple[Callable[[], Any], "asyncio.Future[Any]"]


class Threads:
    """As many threads as calls are under way, up to a bound."""

    def __init__(self, loop: asyncio.AbstractEventLoop, max_threads: int) -> None:
        self._loop = loop
        self._max_threads = max_threads
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._done: deque[tuple[asyncio.Future[Any], Any, BaseException | None]] = deque()
        self._lock = threading.Lock()  # protects the two below
        self._is_waking = False
        self._idle = 0
        self._threads: list[threading.Thread] = []

    def run(self, call: Callable[[], Any]) -> asyncio.Future[Any]:
        """The call's result, from a thread; call this in the loop."""
        future: asyncio.Future[Any] = self._loop.create_future()
        with self._lock:
            needs_thread = self._idle == 0
            if not needs_thread:
                self._idle -= 1
        if needs_thread and len(self._threads) < self._max_threads:
            self._start()
        self._jobs.put((call, future))
        return future

    def close(self) -> None:
        """Lets the threads end once they are idle; one that is stuck in a call does not keep the process."""
        for _ in self._threads:
            self._jobs.put(None)

    def join(self, timeout_seconds: float) -> None:
        """Waits for threads that are not stuck."""
        for thread in self._threads:
            thread.join(timeout_seconds)

    def _start(self) -> None:
        thread = threading.Thread(target=self._work, name="spanloop-eval", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            call, future = job
            try:
                result, error = call(), None
            except BaseException as raised:
                result, error = None, raised
            self._finished(future, result, error)

    def _finished(self, future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
        self._done.append((future, result, error))
        with self._lock:
            self._idle += 1
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


def _as_settable(error: BaseException) -> BaseException:
    """A future refuses StopIteration, which would end the loop of whoever awaits it."""
    if isinstance(error, StopIteration):
        wrapped = RuntimeError(f"StopIteration: {error}")
        wrapped.__cause__ = error
        return wrapped
    return error
