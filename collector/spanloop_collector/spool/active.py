"""The segment that is being appended to."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

from spanloop_collector.spool.durable import sync_directory, sync_file, write_all
from spanloop_collector.spool.record import Buffer, RecordFlags, encode_header, seed_of
from spanloop_collector.spool.segment import SegmentName, Summary
from spanloop_collector.spool.spares import SpareFiles


class ActiveSegment:
    """An open file whose first `size` bytes are durable, complete records; owned by the commit thread.

    What an older segment left behind them is cut off at the end.
    """

    def __init__(self, directory: Path, spares: SpareFiles, *, after: int, is_synced: bool) -> None:
        self.name = SegmentName.new(after=after)
        self.path = directory / str(self.name)
        self.size = 0
        self.is_usable = True
        """False when bytes of a failed write could not be taken away; nothing may be appended behind them."""
        self._records = 0
        self.items = 0
        self._flags = RecordFlags.NONE
        self._seed = seed_of(self.name.token)
        self._is_synced = is_synced
        self._descriptor = self._open(spares)
        self._sync_name(directory)

    def header(self, parts: Sequence[Buffer], *, item_count: int, flags: RecordFlags) -> bytes:
        """The header of a record for this segment."""
        return encode_header(parts, item_count=item_count, flags=flags, seed=self._seed)

    def append(self, buffers: Sequence[Buffer], *, records: int, items: int, flags: RecordFlags) -> None:
        """Returns when the buffers are durable; when it raises, none of them is in the segment."""
        try:
            write_all(self._descriptor, buffers)
            if self._is_synced:
                sync_file(self._descriptor)
        except OSError:
            self._cut()
            raise
        self.size += sum(map(len, buffers))
        self._records += records
        self.items += items
        self._flags |= flags

    def seal(self) -> Summary:
        """Ends the file and says what it holds; nothing may be appended afterwards."""
        summary = Summary(self.size, self._records, self.items, self._flags)
        # The footer only saves time at a restart: it needs neither fsync nor space on a full disk.
        with contextlib.suppress(OSError):
            os.write(self._descriptor, summary.footer(seed=self._seed))
        # If this fails, what was there before follows; who reads the segment looks at the file's size.
        with contextlib.suppress(OSError):
            os.ftruncate(self._descriptor, os.lseek(self._descriptor, 0, os.SEEK_CUR))
        self.close()
        return summary

    def close(self) -> None:
        """Leaves the file as it is; the next start finds it."""
        os.close(self._descriptor)

    def _open(self, spares: SpareFiles) -> int:
        new = 0 if spares.take(self.path) else os.O_CREAT | os.O_EXCL
        try:
            return os.open(self.path, os.O_WRONLY | os.O_CLOEXEC | new, 0o600)
        except OSError:
            self.path.unlink(missing_ok=True)
            raise

    def _sync_name(self, directory: Path) -> None:
        """A record is not durable before the name of its file is."""
        if not self._is_synced:
            return
        try:
            sync_directory(directory)
        except OSError:
            self.close()
            self.path.unlink(missing_ok=True)
            raise

    def _cut(self) -> None:
        """Takes a partial write away, so that the next one follows the last complete record."""
        try:
            os.ftruncate(self._descriptor, self.size)
            os.lseek(self._descriptor, self.size, os.SEEK_SET)
        except OSError:
            self.is_usable = False
