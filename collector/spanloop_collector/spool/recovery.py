"""What an earlier run left in a spool's directory: every segment sealed, torn ends cut."""

from __future__ import annotations

import contextlib
import logging
import mmap
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from spanloop_collector.spool.durable import sync_directory
from spanloop_collector.spool.record import Damage, RecordFlags, RecordPlace, scan, seed_of
from spanloop_collector.spool.segment import FOOTER_BYTES, SegmentName, Summary

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Recovered:
    """One segment of an earlier run."""

    path: Path
    name: SegmentName
    summary: Summary
    is_cut: bool
    """A record that does not end followed the last one; damage between records is found when they are read.

    Other bytes behind the last record are those of an older segment that lay in the file.
    """


def recover(directory: Path) -> Iterator[Recovered]:
    """The segments in the directory, oldest first; files that are no segment are left alone."""
    is_changed = False
    for path in sorted(directory.glob("*.segment")):
        name = SegmentName.parse(path.name)
        if name is None:
            logger.warning("spool: not a segment, left alone path=%s", path)
            continue
        recovered = _recover_segment(path, name)
        if recovered.is_cut:
            logger.warning("spool: cut a torn end path=%s", path)
        if recovered.summary.record_count:
            yield recovered
        else:
            path.unlink()
            is_changed = True
    if is_changed:
        sync_directory(directory)


def _recover_segment(path: Path, name: SegmentName) -> Recovered:
    with path.open("r+b") as file:
        seed = seed_of(name.token)
        file_bytes = os.fstat(file.fileno()).st_size
        footer = os.pread(file.fileno(), FOOTER_BYTES, max(file_bytes - FOOTER_BYTES, 0))
        if summary := Summary.from_footer(footer, file_bytes=file_bytes, seed=seed):
            return Recovered(path, name, summary, is_cut=False)
        summary, is_cut = _scan_segment(file.fileno(), size=file_bytes, seed=seed)
        _make_final(file.fileno(), summary, seed=seed)
        return Recovered(path, name, summary, is_cut=is_cut)


def _make_final(descriptor: int, summary: Summary, *, seed: int) -> None:
    """Cuts what follows the last good record; that was never acknowledged, and never inserted."""
    os.ftruncate(descriptor, summary.byte_count)
    # The disk may be full; then the next start scans the file again.
    with contextlib.suppress(OSError):
        os.pwrite(descriptor, summary.footer(seed=seed), summary.byte_count)
    os.fsync(descriptor)


def _scan_segment(descriptor: int, *, size: int, seed: int) -> tuple[Summary, bool]:
    """What the file holds up to its last whole record, and whether a torn one follows."""
    if not size:
        return Summary(), False
    end = records = items = 0
    is_torn = False
    flags = RecordFlags.NONE
    with mmap.mmap(descriptor, size, access=mmap.ACCESS_READ) as content:
        for found in scan(content, size=size, seed=seed):
            if isinstance(found, RecordPlace):
                end, records, items = found.end, records + 1, items + found.item_count
                flags |= found.flags
            is_torn = isinstance(found, Damage) and found.is_torn
    return Summary(end, records, items, flags), is_torn
