"""Takes sealed segments, inserts each under its token until ClickHouse has it, then removes it.

take ─▶ insert ─▶ look at (scoring rules) ─▶ remove
          │ refused for its data: halve until one span is left, which becomes a dead letter
          │ anything else: wait, and the same again
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence

from clickhouse_connect.driver.exceptions import Error

from spanloop_collector.errors import StoreUnavailableError
from spanloop_collector.settings import WriteSettings
from spanloop_collector.spool.record import Record
from spanloop_collector.spool.segment import SealedSegment
from spanloop_collector.spool.spool import Spool
from spanloop_collector.store import Store
from spanloop_collector.telemetry import WRITE_BATCHES, WRITE_ITEMS
from spanloop_collector.write.batch import Batch, part_of, single_items, whole_segment
from spanloop_collector.write.busy_share import BusyShare
from spanloop_collector.write.dead_letter import DeadLetters
from spanloop_collector.write.refusal import Refusal, refusal_of

FIRST_RETRY_SECONDS = 0.25
# ClickHouse analyses the statement for each insert anew, which takes as long as mapping thousands of spans. While spans
# keep coming, the next insert therefore waits longer for a fuller segment: this many times what the last one took, so
# that queries find ClickHouse at rest for most of the time, and beside another insert until that is over.
RESTS = 3
MOST_PATIENCE_SECONDS = 2.0
# Inserts that are under way for more of the time leave ClickHouse no pause.
FULL_SHARE = 0.9
BARRIER_POLL_SECONDS = 0.02
# Ages of segments and the barrier's own time come from different clocks.
CLOCK_MARGIN_SECONDS = 0.01

logger = logging.getLogger(__name__)


class Writer:
    """Moves one signal's segments into ClickHouse, several at a time."""

    def __init__(
        self,
        signal: str,
        spool: Spool,
        store: Store,
        dead_letters: DeadLetters,
        settings: WriteSettings,
        *,
        look_at: Callable[[SealedSegment], Awaitable[None]] | None = None,
    ) -> None:
        """`look_at` sees each segment beside the next inserts, once its rows are stored and before it is removed."""
        self._signal = signal
        self._spool = spool
        self._store = store
        self._dead_letters = dead_letters
        self._settings = settings
        self._look_at = look_at
        self._finishing: set[asyncio.Task[None]] = set()
        self._workers: list[asyncio.Task[None]] = []
        self._is_stopping = asyncio.Event()
        self._inserting: list[SealedSegment] = []
        self._last_took = 0.0
        self._is_failing = False
        self._busy = BusyShare()
        self._full_at = float("-inf")

    @property
    def calm_seconds(self) -> float:
        """For how long ClickHouse has had pauses between inserts; 0 while one follows the other without."""
        return 0.0 if self._busy.share > FULL_SHARE else time.monotonic() - self._full_at

    def start(self) -> None:
        """Starts the workers."""
        self._workers = [asyncio.create_task(self._work()) for _ in range(self._settings.connections)]

    async def stop(self, drain_seconds: float) -> None:
        """Writes what was acknowledged, for at most `drain_seconds`; the rest waits on disk for the next start."""
        try:
            await asyncio.wait_for(self.barrier(), drain_seconds)
        except TimeoutError:
            logger.info("write: stopping with a backlog signal=%s %s", self._signal, self._spool.backlog())
        self._is_stopping.set()
        self._spool.end_taking()
        await asyncio.gather(*self._workers)
        for task in self._finishing:
            # Its segment stays: it is stored and looked at again by the next start, to no effect where it was.
            task.cancel()
        await asyncio.gather(*self._finishing, return_exceptions=True)

    async def barrier(self) -> None:
        """Returns once everything acknowledged before the call is visible in ClickHouse."""
        asked = time.monotonic()
        self._spool.seal()
        while True:
            # Read before the backlog's age, which can then only seem too great: better to wait once more.
            since_asked = time.monotonic() - asked
            backlog = self._spool.backlog()
            if not backlog.items or backlog.oldest_age_seconds < since_asked - CLOCK_MARGIN_SECONDS:
                return
            await asyncio.sleep(BARRIER_POLL_SECONDS)

    async def _work(self) -> None:
        while not self._is_stopping.is_set():
            segment = await self._spool.take(patience_seconds=self._patience_seconds)
            if segment is None:
                continue
            self._inserting.append(segment)
            self._busy.turn(is_busy=True)
            began = time.monotonic()
            if not await self._write(segment):
                self._spool.release(segment)
            self._last_took = time.monotonic() - began
            if self._busy.share > FULL_SHARE:
                self._full_at = time.monotonic()
            self._inserting.remove(segment)
            self._busy.turn(is_busy=bool(self._inserting))

    def _patience_seconds(self) -> float:
        return MOST_PATIENCE_SECONDS if self._inserting else min(RESTS * self._last_took, MOST_PATIENCE_SECONDS)

    async def _write(self, segment: SealedSegment) -> bool:
        """Whether the segment reached ClickHouse; False only when the collector stops first."""
        pause = FIRST_RETRY_SECONDS
        while True:
            try:
                await asyncio.to_thread(self._store_segment, segment)
            except (Error, StoreUnavailableError) as error:
                self._report_failure(error)
            else:
                self._report_success(segment)
                self._finish(segment)
                return True
            try:
                await asyncio.wait_for(self._is_stopping.wait(), pause)
            except TimeoutError:
                pause = min(pause * 2, self._settings.retry_max_seconds)
            else:
                return False

    def _store_segment(self, segment: SealedSegment) -> None:
        try:
            self._insert(whole_segment(self._signal, segment))
        except Error as error:
            if refusal_of(error) is Refusal.MOMENT:
                raise
            logger.warning("write: halving a refused segment token=%s reason=%s", segment.token, error)
            self._store_range(list(segment.records()), token=segment.token)

    def _finish(self, segment: SealedSegment) -> None:
        task = asyncio.create_task(self._remove(segment))
        self._finishing.add(task)
        task.add_done_callback(self._finishing.discard)

    async def _remove(self, segment: SealedSegment) -> None:
        if self._look_at is not None:
            await self._look_at(segment)
        await asyncio.to_thread(segment.remove)

    def _store_range(self, records: Sequence[Record], *, token: str, start: int = 0) -> None:
        """Inserts neighbouring records, halving as long as ClickHouse refuses them, down to single items."""
        try:
            self._insert(part_of(self._signal, token, records, start))
        except Error as error:
            if refusal_of(error) is Refusal.MOMENT:
                raise
            WRITE_BATCHES.labels(self._signal, "bisected").inc()
            if len(records) > 1:
                middle = len(records) // 2
                self._store_range(records[:middle], token=token, start=start)
                self._store_range(records[middle:], token=token, start=start + middle)
            elif len(items := single_items(records[0])) > 1:
                self._store_range(items, token=f"{token}-{start}")
            elif refusal_of(error) is Refusal.SIZE:
                raise
            else:
                self._dead_letters.keep(self._signal, records[0], f"{token}-{start}", error)

    def _insert(self, batch: Batch) -> None:
        if batch.requests:
            self._store.insert_otlp(self._signal, batch.requests, token=batch.token)

    def _report_success(self, segment: SealedSegment) -> None:
        WRITE_BATCHES.labels(self._signal, "stored").inc()
        WRITE_ITEMS.labels(self._signal).inc(segment.item_count)
        if self._is_failing:
            self._is_failing = False
            logger.info("write: ClickHouse takes inserts again signal=%s", self._signal)

    def _report_failure(self, error: Exception) -> None:
        """One line when it starts to fail, not one per try."""
        WRITE_BATCHES.labels(self._signal, "retried").inc()
        if not self._is_failing:
            self._is_failing = True
            logger.warning("write: inserts fail, kept on disk and tried again signal=%s reason=%s", self._signal, error)
