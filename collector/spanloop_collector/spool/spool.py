"""The write-ahead log of one signal: what `append` returned for is on disk until its segment is removed.

intake ── append ──▶ commit thread ──▶ active segment ──▶ sealed segments ──▶ take ── writer
                     one fsync for all that wait         one insert each
"""

from __future__ import annotations

import asyncio
import bisect
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from spanloop_collector.errors import RetryableError, SpoolFullError, TooLargeError
from spanloop_collector.settings import SpoolSettings
from spanloop_collector.spool.backlog import Backlog, Ledger
from spanloop_collector.spool.committer import Append, Committed, Committer, Failed, Outcome, Sealed
from spanloop_collector.spool.lock import DirectoryLock
from spanloop_collector.spool.record import MAX_RECORD_BYTES, Buffer, RecordFlags
from spanloop_collector.spool.recovery import recover
from spanloop_collector.spool.segment import SealedSegment
from spanloop_collector.spool.spares import SpareFiles
from spanloop_collector.telemetry import SPOOL_CORRUPT_RECORDS, SPOOL_OLDEST_SECONDS

# Used where nobody passes `write.flush_after_seconds`.
FLUSH_AFTER_SECONDS = 0.25

# Nothing for so long, and a segment need not be waited for: more will not come soon.
QUIET_SECONDS = 0.2

# As much as this comes together in bursts only, and is worth an insert of its own whatever follows: a shorter pause is
# the end of it.
LARGE_BYTES = 16 * 1024 * 1024
LARGE_QUIET_SECONDS = 0.03

# Requests in memory that wait for the disk. A slower disk than this bridges is told to the senders.
MAX_WAITING_BYTES = 128 * 1024 * 1024

logger = logging.getLogger(__name__)


class Spool:
    """A directory of segments; `append` and `take` belong to the event loop that opened it."""

    def __init__(self, directory: Path, settings: SpoolSettings, *, signal: str, flush_after_seconds: float) -> None:
        self._directory = directory
        self._settings = settings
        self._signal = signal
        self._flush_after = flush_after_seconds
        self._loop = asyncio.get_running_loop()
        self._lock = DirectoryLock(directory)
        self._ledger = Ledger(signal)
        self._spares = SpareFiles(directory)
        self._ready: list[SealedSegment] = []
        self._waiting_bytes = 0
        self._active_since: float | None = None
        self._active_bytes = 0
        self._last_append = 0.0
        self._is_seal_asked = False
        self._is_closed = False
        self._is_taking_ended = False
        self._takers: set[asyncio.Future[None]] = set()
        self._recover()
        self._committer = Committer(
            directory,
            self._spares,
            settings,
            signal=signal,
            created_after=max((segment.created_unix_nano for segment in self._ready), default=0),
            is_load_high=lambda: self._ledger.has_sealed,
            report=self._report,
        )
        SPOOL_OLDEST_SECONDS.labels(signal).set_function(lambda: self.backlog().oldest_age_seconds)

    @classmethod
    def open(
        cls,
        directory: Path,
        settings: SpoolSettings,
        *,
        signal: str,
        flush_after_seconds: float = FLUSH_AFTER_SECONDS,
    ) -> Spool:
        """The spool in this directory with everything an earlier run left; call it in the event loop.

        Raises ConfigError when another process has the directory open.
        """
        directory.mkdir(parents=True, exist_ok=True)
        return cls(directory, settings, signal=signal, flush_after_seconds=flush_after_seconds)

    async def append(
        self,
        payload: Buffer | Sequence[Buffer],
        *,
        item_count: int,
        flags: RecordFlags = RecordFlags.NONE,
    ) -> None:
        """Returns when the payload, given whole or in pieces, is on disk.

        Raises SpoolFullError at the bound or on a full disk, RetryableError when the disk fails.
        """
        parts = [payload] if isinstance(payload, bytes | bytearray | memoryview) else payload
        append = Append(parts, sum(map(len, parts)), item_count, flags, self._loop.create_future())
        self._refuse_over_bound(append.size)
        self._waiting_bytes += append.size
        self._committer.submit(append)
        await append.done

    async def take(
        self,
        timeout: float = float("inf"),  # noqa: ASYNC109 - running out of time is an answer here, not an error
        *,
        patience_seconds: Callable[[], float] = lambda: 0.0,
    ) -> SealedSegment | None:
        """The oldest sealed segment, for this caller alone; None when there is none for `timeout` seconds.

        What was appended is sealed once it is `flush_after_seconds` old, or what a burst left, if someone waits
        here for it; a patient caller waits so much longer for a fuller one, as long as more keeps coming. It is asked
        anew whenever something changed.
        """
        deadline = self._loop.time() + timeout
        while not self._ready:
            pause = deadline - self._loop.time()
            if pause <= 0 or self._is_taking_ended:
                return None
            await self._wait_for_change(min(pause, self._until_due(patience_seconds())))
        return self._ready.pop(0)

    def end_taking(self) -> None:
        """Whoever waits in `take`, now or later, gets None when nothing is ready."""
        self._is_taking_ended = True
        self._wake_takers()

    def release(self, segment: SealedSegment) -> None:
        """Gives back a taken segment that was not inserted; the next `take` may return it."""
        bisect.insort(self._ready, segment, key=lambda ready: ready.created_unix_nano)
        self._wake_takers()

    def seal(self) -> None:
        """Makes what was appended so far ready to be taken, however young it is."""
        self._is_seal_asked = True
        self._committer.seal()

    def backlog(self) -> Backlog:
        """How much waits, including what is being inserted. May be called from any thread."""
        return self._ledger.backlog(active_age_seconds=self._active_age())

    async def close(self) -> None:
        """Commits what is still waiting; the files stay for the next start."""
        if self._is_closed:
            return
        self._is_closed = True
        await asyncio.to_thread(self._committer.stop)
        self._wake_takers()
        SPOOL_OLDEST_SECONDS.labels(self._signal).set_function(lambda: 0.0)
        self._lock.release()

    def _refuse_over_bound(self, size: int) -> None:
        if self._is_closed:
            raise RetryableError("the collector is stopping")
        bound = self._settings.max_bytes
        if size > min(bound, MAX_RECORD_BYTES):
            raise TooLargeError(f"a request of {size} bytes does not fit spool.max_bytes={bound}")
        if self._ledger.byte_count + self._waiting_bytes + size > bound:
            raise SpoolFullError(
                f"the spool of {self._signal} holds {self._ledger.byte_count} of spool.max_bytes={bound}; "
                f"ClickHouse is away or too slow"
            )
        if self._waiting_bytes and self._waiting_bytes + size > MAX_WAITING_BYTES:
            raise SpoolFullError(
                f"{self._waiting_bytes} bytes of {self._signal} wait for the disk of {self._directory}, "
                f"which is too slow"
            )

    def _report(self, outcome: Outcome) -> None:
        """Called in the commit thread; everything that follows happens in the event loop."""
        self._loop.call_soon_threadsafe(self._on_outcome, outcome)

    def _on_outcome(self, outcome: Outcome) -> None:
        match outcome:
            case Committed(appends):
                self._on_committed(appends)
            case Failed(appends, error):
                self._settle(appends, error)
            case Sealed():
                self._on_sealed(outcome)

    def _on_committed(self, appends: Sequence[Append]) -> None:
        size = sum(append.size for append in appends)
        self._ledger.add(byte_count=size, item_count=sum(append.item_count for append in appends))
        self._last_append = self._loop.time()
        if self._active_since is None:
            self._active_since = self._last_append
            self._is_seal_asked = False
            self._wake_takers()
        self._active_bytes += size
        if self._active_bytes >= LARGE_BYTES > self._active_bytes - size:
            self._wake_takers()
        self._settle(appends, None)

    def _settle(self, appends: Sequence[Append], error: RetryableError | None) -> None:
        for append in appends:
            self._waiting_bytes -= append.size
            # Cancelled when the sender hung up; its request is stored all the same.
            if append.done.done():
                continue
            if error:
                append.done.set_exception(error)
            else:
                append.done.set_result(None)

    def _on_sealed(self, sealed: Sealed) -> None:
        segment = self._segment(sealed, is_fresh=True)
        self._ledger.add_sealed(segment)
        self._ready.append(segment)
        self._active_since = None
        self._active_bytes = 0
        self._is_seal_asked = False
        self._wake_takers()

    def _until_due(self, patience_seconds: float) -> float:
        """Seconds until the active segment is old enough; seals it when it is."""
        if self._active_since is None or self._is_seal_asked:
            return float("inf")
        due = self._active_since + self._flush_after
        due = max(due, min(due + patience_seconds, self._last_append + QUIET_SECONDS))
        if self._active_bytes >= LARGE_BYTES:
            due = min(due, self._last_append + LARGE_QUIET_SECONDS)
        if due > self._loop.time():
            return due - self._loop.time()
        self.seal()
        return float("inf")

    async def _wait_for_change(self, pause: float) -> None:
        change = self._loop.create_future()
        self._takers.add(change)
        try:
            await asyncio.wait([change], timeout=None if pause == float("inf") else pause)
        finally:
            self._takers.discard(change)

    def _wake_takers(self) -> None:
        for taker in self._takers:
            if not taker.done():
                taker.set_result(None)

    def _recover(self) -> None:
        for found in recover(self._directory):
            segment = self._segment(Sealed(found.path, found.summary), is_fresh=False)
            self._ledger.add(byte_count=segment.byte_count, item_count=segment.item_count)
            self._ledger.add_sealed(segment)
            self._ready.append(segment)
            SPOOL_CORRUPT_RECORDS.labels(self._signal).inc(found.is_cut)
        if self._ready:
            logger.info("spool: found an earlier run's requests signal=%s %s", self._signal, self.backlog())

    def _segment(self, sealed: Sealed, *, is_fresh: bool) -> SealedSegment:
        return SealedSegment(
            sealed.path,
            sealed.summary,
            is_fresh=is_fresh,
            spares=self._spares,
            on_removed=self._ledger.remove,
            on_damage=self._on_damage,
        )

    def _on_damage(self, segment: SealedSegment, damaged: int) -> None:
        SPOOL_CORRUPT_RECORDS.labels(self._signal).inc(damaged)
        logger.warning("spool: left out damaged records path=%s count=%d", segment.path, damaged)

    def _active_age(self) -> float:
        return self._loop.time() - self._active_since if self._active_since is not None else 0.0
