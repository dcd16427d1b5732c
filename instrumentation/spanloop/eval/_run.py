"""Runs an eval: as many trials at once as allowed, each on its own, results added up as they come."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from spanloop._failsafe import log
from spanloop.eval._case import EvalCase, is_stream, iterate
from spanloop.eval._evaluator import Evaluator
from spanloop.eval._recording import Recording
from spanloop.eval._result import EvalResult, Failure
from spanloop.eval._scorers import prepare_scorers
from spanloop.eval._tally import Tally
from spanloop.eval._threads import Threads
from spanloop.eval._trial import Trials

DEFAULT_CONCURRENCY = 100
KEPT_OF_A_STREAM = 10_000
KEPT_FAILURES = 100
FULL = 0.5
"""Part of the queue to the collector that may be taken before trials wait for it."""
LOOK_EVERY_SECONDS = 0.01
YIELD_EVERY = 16
STUCK_SECONDS = 30.0
"""How long trials wait for a queue that does not move."""
STOP_SECONDS = 2.0


@dataclass(slots=True)
class Run:
    """What a run made."""

    tally: Tally = field(default_factory=Tally)
    results: list[EvalResult] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    total: int = 0
    not_run: int = 0
    is_complete: bool = True
    is_interrupted: bool = False

    def merge(self, other: Run) -> None:
        """Adds what another process made of its part."""
        self.tally.merge(other.tally)
        self.results += other.results
        self.failures += other.failures[: KEPT_FAILURES - len(self.failures)]
        self.total += other.total
        self.not_run += other.not_run
        self.is_interrupted = self.is_interrupted or other.is_interrupted


@dataclass(slots=True)
class Job:
    """One trial to come."""

    number: int
    """Of the case, from 0."""
    case: EvalCase
    trial_index: int
    trial_count: int


Skip = Callable[[EvalCase, int], bool]
Progress = Callable[[Run, int | None], None]


async def run_trials(
    evaluator: Evaluator,
    data: Any,
    recording: Recording,
    *,
    progress: Progress | None = None,
    skip: Skip | None = None,
    shard: tuple[int, int] = (0, 1),
) -> Run:
    """Every trial of the eval. A stop, by timeout or interrupt, ends it with what there is.

    `skip` says of a case's trial whether it is there already; `shard` (i, n) takes every nth case from the ith.
    """
    concurrency = evaluator.max_concurrency or DEFAULT_CONCURRENCY
    if concurrency < 1:
        raise ValueError(f"max_concurrency={evaluator.max_concurrency}; expected at least 1")
    threads = Threads(asyncio.get_running_loop(), max_threads=concurrency * 2)
    trials = Trials(
        evaluator.task,
        prepare_scorers(evaluator.scores),
        recording=recording,
        threads=threads,
        parameters=evaluator.parameters,
        error_score_handler=evaluator.error_score_handler,
        progress=evaluator.stream,
    )
    run = _Running(evaluator, data, recording, trials, progress)
    try:
        await run.all(jobs(evaluator, data, skip, shard), concurrency)
    finally:
        trials.flush()
        threads.close()
    return run.made


async def jobs(
    evaluator: Evaluator, data: Any, skip: Skip | None = None, shard: tuple[int, int] = (0, 1)
) -> AsyncIterator[list[Job]]:
    """The trials to run, in order, many at a time."""
    number = 0
    async for cases in iterate(data):
        found: list[Job] = []
        for case in cases:
            if not evaluator.wants(case):
                continue
            count = case.trial_count or evaluator.trial_count
            if count < 1:
                raise ValueError(f"trial_count={count}; expected at least 1")
            if number % shard[1] == shard[0]:
                found += [Job(number, case, n, count) for n in range(count) if skip is None or not skip(case, n)]
            number += 1
        yield found


class _Running:
    """A run under way."""

    def __init__(
        self, evaluator: Evaluator, data: Any, recording: Recording, trials: Trials, progress: Progress | None
    ) -> None:
        self.made = Run()
        self._evaluator = evaluator
        self._recording = recording
        self._trials = trials
        self._progress = progress
        self._keeps = evaluator.max_results
        if self._keeps is None and is_stream(data):
            self._keeps = KEPT_OF_A_STREAM
        self._expected_total = None if is_stream(data) or evaluator.filters else len(data) * evaluator.trial_count

    async def all(self, source: AsyncIterator[list[Job]], concurrency: int) -> None:
        """Runs every job with so many workers, until done, out of time, or interrupted."""
        async with aclosing(source):  # type: ignore[type-var]  # an async generator, which has aclose
            feed = _Feed(source)
            workers = [asyncio.create_task(self._work(feed)) for _ in range(concurrency)]
            try:
                done, running = await asyncio.wait(
                    workers, timeout=self._evaluator.timeout, return_when=asyncio.FIRST_EXCEPTION
                )
                if running and not any(worker.exception() for worker in done):
                    log.warning("the eval was stopped after timeout=%g seconds", self._evaluator.timeout)
                    self.made.is_interrupted = True
            except asyncio.CancelledError:
                self.made.is_interrupted = True
                raise
            finally:
                await self._stop(workers, feed)
            for worker in workers:
                if not worker.cancelled() and (error := worker.exception()):
                    raise error
        self.made.tally.finish()

    async def _stop(self, workers: Sequence[asyncio.Task[None]], feed: _Feed) -> None:
        """Ends what still runs. What is left of data of a known size counts as not run."""
        under_way = [worker for worker in workers if not worker.done()]
        for worker in under_way:
            worker.cancel()
        if under_way:
            await asyncio.wait(under_way, timeout=STOP_SECONDS)
            known = self._expected_total
            self.made.not_run = known - self.made.total if known is not None else max(1, feed.taken - self.made.total)

    async def _work(self, feed: _Feed) -> None:
        while (job := await feed.next()) is not None:
            await self._wait_for_room()
            self._add(job, await self._trials.run(job.case, job.trial_index, job.trial_count))

    async def _wait_for_room(self) -> None:
        """Trials are slower than the collector rather than lost on the way to it."""
        fullness = self._recording.fullness()
        if fullness < FULL:
            if self.made.total % YIELD_EVERY == 0:  # a task that never waits would keep the loop to itself
                await asyncio.sleep(0)
            return
        moved = time.monotonic()
        while (now_full := self._recording.fullness()) >= FULL:
            if now_full != fullness:
                fullness, moved = now_full, time.monotonic()
            elif time.monotonic() - moved > STUCK_SECONDS:
                return
            await asyncio.sleep(LOOK_EVERY_SECONDS)

    def _add(self, job: Job, result: EvalResult) -> None:
        made = self.made
        made.total += 1
        made.tally.add(job.number, job.trial_count, result)
        if result.has_failed and len(made.failures) < KEPT_FAILURES:
            made.failures.append(Failure.of(result))
        if self._keeps is None or len(made.results) < self._keeps:
            made.results.append(result)
        else:
            made.is_complete = False
        if self._progress is not None:
            self._progress(made, self._expected_total)


class _Feed:
    """Gives out jobs, one to each worker that asks."""

    def __init__(self, source: AsyncIterator[list[Job]]) -> None:
        self._source = source
        self._turn = asyncio.Lock()  # an async generator takes one caller at a time
        self._ready: deque[Job] = deque()
        self._is_done = False
        self.taken = 0

    async def next(self) -> Job | None:
        """The next job; None when there are no more."""
        if not self._ready:
            async with self._turn:
                await self._read()
        if not self._ready:
            return None
        self.taken += 1
        return self._ready.popleft()

    async def _read(self) -> None:
        while not self._ready and not self._is_done:
            try:
                self._ready.extend(await anext(self._source))
            except StopAsyncIteration:
                self._is_done = True
