"""The children of one scorer: as many as it may have, started when they are needed, ended when they are not."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from spanloop_collector.score.rule import LIBRARIES, RuleScorer
from spanloop_collector.score.work.child_process import ChildDied, ChildProcess
from spanloop_collector.score.work.work_task import WorkTask, failure, result, result_of

AT_ONCE = 256
BATCH_SECONDS = 0.1
"""A child is sent as many rows as take so long before the first answer is back, at most `AT_ONCE`."""
SHARE_OF_NEWEST = 0.2
IDLE_SECONDS = 30.0

Report = Callable[[dict[str, Any]], None]
ReadTrace = Callable[[WorkTask], Awaitable[bytes]]
"""The spans that a scorer may see, as JSON text."""

logger = logging.getLogger(__name__)


class ScorerPool:
    """Tasks of one scorer, and the children that do them."""

    def __init__(self, scorer: RuleScorer, *, modules: Sequence[str], report: Report, read_trace: ReadTrace) -> None:
        self._scorer = scorer
        self._modules = modules
        self._report = report
        self._read_trace = read_trace
        self._waiting: deque[WorkTask] = deque()
        self._arrived = asyncio.Event()
        self._runners: set[asyncio.Task[None]] = set()
        self._idle = 0
        self._seconds = BATCH_SECONDS
        """How long a row takes, of late."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits and no child is left."""
        return not self._waiting and not self._runners

    def submit(self, task: WorkTask) -> None:
        """Puts a task in line."""
        self._waiting.append(task)
        self._arrived.set()
        if not self._idle and len(self._runners) < self._scorer.concurrency:
            runner = asyncio.create_task(self._run())
            self._runners.add(runner)
            runner.add_done_callback(self._runners.discard)

    def give_back(self) -> None:
        """Returns what no child has begun."""
        while self._waiting:
            self._report(result(self._waiting.popleft(), "returned"))

    async def close(self) -> None:
        """Kills every child; what they were doing is not reported."""
        for runner in list(self._runners):
            runner.cancel()
        await asyncio.gather(*self._runners, return_exceptions=True)

    async def _run(self) -> None:
        """One child after another, one at a time: a new one where the last was killed."""
        child: ChildProcess | None = None
        try:
            while (batch := await self._next_batch()) is not None:
                while batch:
                    if child is None:
                        child = await self._start(batch)
                    if child is not None and not await self._do(child, batch):
                        await child.kill()
                        child = None
        finally:
            if child is not None:
                await child.kill()

    async def _next_batch(self) -> deque[WorkTask] | None:
        """Some of what waits; None when nothing has come for a while."""
        while not self._waiting:
            self._arrived.clear()
            self._idle += 1
            try:
                await asyncio.wait_for(self._arrived.wait(), IDLE_SECONDS)
            except TimeoutError:
                return None
            finally:
                self._idle -= 1
        # Slow rows one by one, so that the children share them.
        count = min(max(int(BATCH_SECONDS / self._seconds), 1), AT_ONCE, len(self._waiting))
        return deque(self._waiting.popleft() for _ in range(count))

    async def _start(self, batch: deque[WorkTask]) -> ChildProcess | None:
        """A child; None when the scorer cannot be loaded, which the tasks are told."""
        try:
            return await ChildProcess.start(self._scorer, modules=self._modules)
        except (ChildDied, OSError) as error:
            while batch:
                self._report(failure(batch.popleft(), f"cannot be loaded: {error}", is_retryable=True))
            return None

    async def _do(self, child: ChildProcess, batch: deque[WorkTask]) -> bool:
        """Sends the batch and takes the answers; False when the child is of no more use."""
        for task in list(batch):
            trace = await self._trace(child, task)
            if trace is None:
                batch.remove(task)
                continue
            child.send(b'{"row":' + task.row.encode() + trace + b"}")
        while batch:
            task = batch[0]
            try:
                async with asyncio.timeout(self._scorer.timeout_seconds):
                    answer = await child.receive()
            except TimeoutError:
                limit = self._scorer.timeout_seconds
                is_retryable = self._scorer.module in LIBRARIES
                self._report(failure(task, f"killed after {limit:g} s", is_retryable=is_retryable))
                batch.popleft()
                return False
            except ChildDied as error:
                self._report(failure(task, str(error), is_retryable=True))
                batch.popleft()
                return False
            batch.popleft()
            self._seconds += SHARE_OF_NEWEST * (max(answer["duration"], 1e-6) - self._seconds)
            self._report(
                result_of(task, answer, rule_name=self._scorer.name, own_name=child.name, version=child.version)
            )
        return True

    async def _trace(self, child: ChildProcess, task: WorkTask) -> bytes | None:
        if not child.wants_trace:
            return b""
        try:
            return b',"trace":' + await self._read_trace(task)
        except Exception as error:
            self._report(failure(task, f"the trace cannot be read: {error}", is_retryable=True))
            return None
