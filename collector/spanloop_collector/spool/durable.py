"""Making writes survive a power cut: files, directories, vectored writes that are complete or raise."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Sequence
from pathlib import Path

from spanloop_collector.spool.record import Buffer

MAX_BUFFERS_PER_WRITE = min(os.sysconf("SC_IOV_MAX"), 1024)


def sync_file(descriptor: int) -> None:
    """Returns when the file's content is on the disk."""
    if hasattr(fcntl, "F_FULLFSYNC"):
        # macOS: fsync leaves the data in the drive's cache.
        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    else:
        os.fdatasync(descriptor)


def sync_directory(directory: Path) -> None:
    """Returns when created and removed names of the directory are on the disk."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_all(descriptor: int, buffers: Sequence[Buffer]) -> None:
    """Writes every byte of the buffers, usually in one call."""
    for start in range(0, len(buffers), MAX_BUFFERS_PER_WRITE):
        chunk = buffers[start : start + MAX_BUFFERS_PER_WRITE]
        written = os.writev(descriptor, chunk)
        if written < sum(map(len, chunk)):
            _write_rest(descriptor, chunk, written)


def _write_rest(descriptor: int, buffers: Sequence[Buffer], skip: int) -> None:
    """Continues after a short write, which on a full disk ends in the error that says so."""
    for buffer in buffers:
        view = memoryview(buffer)[min(skip, len(buffer)) :]
        skip = max(skip - len(buffer), 0)
        while view:
            view = view[os.write(descriptor, view) :]


def free_bytes(directory: Path) -> int:
    """Disk space an ordinary user may still fill there."""
    status = os.statvfs(directory)
    return status.f_bavail * status.f_frsize
