"""The thread that writes: appends that wait together share one write and one fsync."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue

from spanloop_collector.errors import RetryableError, SpoolFullError
from spanloop_collector.settings import SpoolSettings
from spanloop_collector.spool.active import ActiveSegment
from spanloop_collector.spool.durable import free_bytes
from spanloop_collector.spool.record import HEADER_BYTES, Buffer, RecordFlags
from spanloop_collector.spool.segment import Summary
from spanloop_collector.spool.spares import KEPT_SECONDS, SpareFiles

# RLIMIT_FSIZE and quotas pass as a full disk: the operator's answer is the same.
DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})

# Requests that come together wait this long for as many as came last time, to share a write, an fsync and the way
# between two threads: a quarter less CPU per request under load. A lone request does not wait, and none does while
# ClickHouse has nothing to do: there are cores to spare then, and a burst's first segment is what everything waits for.
GATHER_SECONDS = 0.004
GATHER_STEP_SECONDS = 0.001

# A segment is one insert, which one core works off: small spans come by so many that a segment of them, were it bounded
# by bytes alone, would keep the other cores waiting for it after all else is stored.
MAX_SEGMENT_ITEMS = 100_000

logger = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Append:
    """One request on its way to the disk."""

    parts: Sequence[Buffer]
    length: int
    item_count: int
    flags: RecordFlags
    done: asyncio.Future[None]

    @property
    def size(self) -> int:
        return HEADER_BYTES + self.length


@dataclass(frozen=True, slots=True)
class Committed:
    """These appends are durable."""

    appends: Sequence[Append]


@dataclass(frozen=True, slots=True)
class Failed:
    """These appends are not in the spool."""

    appends: Sequence[Append]
    error: RetryableError


@dataclass(frozen=True, slots=True)
class Sealed:
    """A segment is ready to be taken."""

    path: Path
    summary: Summary


Outcome = Committed | Failed | Sealed
_SEAL, _STOP = object(), object()


class Committer:
    """Owns the active segment; everything that happens to it happens in this thread, in order."""

    def __init__(
        self,
        directory: Path,
        spares: SpareFiles,
        settings: SpoolSettings,
        *,
        signal: str,
        created_after: int,
        is_load_high: Callable[[], bool],
        report: Callable[[Outcome], None],
    ) -> None:
        """`is_load_high` and `report` are called in the thread."""
        self._directory = directory
        self._spares = spares
        self._settings = settings
        self._signal = signal
        self._last_created = created_after
        self._is_load_high = is_load_high
        self._report = report
        self._active: ActiveSegment | None = None
        self._expected = 1
        self._jobs: SimpleQueue[object] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=f"spool-{signal}", daemon=True)
        self._thread.start()

    def submit(self, append: Append) -> None:
        """Has the append committed with the next group."""
        self._jobs.put(append)

    def seal(self) -> None:
        """Seals the active segment after what was submitted before; does nothing when it is empty."""
        self._jobs.put(_SEAL)

    def stop(self) -> None:
        """Commits what was submitted and ends the thread."""
        self._jobs.put(_STOP)
        self._thread.join()

    def _run(self) -> None:
        is_running = True
        while is_running:
            is_running = self._work_off(self._next_jobs())
        if self._active:
            self._active.close()
        self._spares.clear()

    def _next_jobs(self) -> list[object]:
        """Everything that came while the last group was written; waits when there is nothing."""
        jobs = [self._first_job()]
        waited = 0.0
        while self._jobs.qsize() + 1 < self._expected and waited < GATHER_SECONDS and self._is_load_high():
            time.sleep(GATHER_STEP_SECONDS)
            waited += GATHER_STEP_SECONDS
        with contextlib.suppress(Empty):
            while True:
                jobs.append(self._jobs.get_nowait())
        self._expected = len(jobs)
        return jobs

    def _first_job(self) -> object:
        """Waits for it; what was stored long ago goes from the disk meanwhile."""
        while True:
            try:
                return self._jobs.get(timeout=KEPT_SECONDS)
            except Empty:
                self._spares.clear()

    def _work_off(self, jobs: Sequence[object]) -> bool:
        """True until the jobs say stop."""
        group: list[Append] = []
        size = self._active_size()
        for job in jobs:
            if isinstance(job, Append) and (not size or size + job.size <= self._settings.segment_bytes):
                group.append(job)
                size += job.size
                continue
            self._commit(group)
            if job is _STOP:
                return False
            self._seal()
            group = [job] if isinstance(job, Append) else []
            size = sum(append.size for append in group)
        self._commit(group)
        if self._is_full():
            self._seal()
        return True

    def _is_full(self) -> bool:
        active = self._active
        return active is not None and (active.size >= self._settings.segment_bytes or active.items >= MAX_SEGMENT_ITEMS)

    def _active_size(self) -> int:
        return self._active.size if self._active else 0

    def _commit(self, group: Sequence[Append]) -> None:
        """Writes the group to the active segment and reports it durable, or failed as a whole."""
        if not group:
            return
        try:
            self._write(group)
        except RetryableError as error:
            self._report(Failed(group, error))
        except OSError as error:
            self._report(Failed(group, self._disk_error(error)))
        except Exception:
            # A bug of ours must not end the thread, which would leave every sender waiting.
            logger.exception("spool: commit failed signal=%s", self._signal)
            self._report(Failed(group, RetryableError("the spool failed unexpectedly; see the collector's log")))
        else:
            self._report(Committed(group))

    def _write(self, group: Sequence[Append]) -> None:
        self._keep_disk_free(sum(append.size for append in group))
        active = self._active or self._create()
        buffers: list[Buffer] = []
        flags = RecordFlags.NONE
        for append in group:
            buffers.append(active.header(append.parts, item_count=append.item_count, flags=append.flags))
            buffers.extend(append.parts)
            flags |= append.flags
        items = sum(append.item_count for append in group)
        active.append(buffers, records=len(group), items=items, flags=flags)

    def _create(self) -> ActiveSegment:
        is_synced = self._settings.fsync
        self._active = ActiveSegment(self._directory, self._spares, after=self._last_created, is_synced=is_synced)
        self._last_created = self._active.name.created_unix_nano
        return self._active

    def _seal(self) -> None:
        active, self._active = self._active, None
        if active is None:
            return
        summary = active.seal()
        if summary.record_count:
            self._report(Sealed(active.path, summary))
        else:
            # Its only writes failed.
            active.path.unlink(missing_ok=True)

    def _keep_disk_free(self, size: int) -> None:
        reserve = self._settings.min_free_disk_bytes
        if not reserve or free_bytes(self._directory) - size >= reserve:
            return
        self._spares.clear()
        if (free := free_bytes(self._directory)) - size < reserve:
            raise SpoolFullError(
                f"the disk of {self._directory} has {free} bytes free and the collector leaves "
                f"{reserve} (spool.min_free_disk_bytes); make room, or let "
                f"ClickHouse catch up"
            )

    def _disk_error(self, error: OSError) -> RetryableError:
        """What the senders are told; a file not to be trusted any more is sealed as far as it is good."""
        is_full = error.errno in DISK_FULL
        if self._active and not (is_full and self._active.is_usable):
            # Also after a failed fsync: the kernel may have dropped pages that it will never write.
            self._seal()
        if is_full:
            self._spares.clear()
            return SpoolFullError(f"the disk of {self._directory} is full: {error.strerror}")
        logger.error("spool: cannot write signal=%s directory=%s error=%s", self._signal, self._directory, error)
        return RetryableError(f"cannot write to {self._directory}: {error.strerror}")
