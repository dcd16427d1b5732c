"""Requests on disk, waiting for a collector that is away: written by any process, each sent by one.

<folder>/01795291234567890123-4711-17-512.spill    when, which process and number, how many items

A file appears whole, by renaming it, and is locked while a process sends it; a lock ends with its process. Files that
a power cut left torn fail their checksum and are removed.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import struct
import sys
import tempfile
import threading
import time
import zlib
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from spanloop._failsafe import log
from spanloop._settings import Settings

ENDING = ".spill"
UNFINISHED = ".tmp"
ABANDONED_SECONDS = 3600.0
RESCAN_SECONDS = 1.0

_HEADER = struct.Struct("<4sIQ")  # magic, CRC-32 and length of the body
_MAGIC = b"SPL1"
_numbers = itertools.count()


class SpilledRequest:
    """A request that this process has locked and may send."""

    def __init__(self, path: Path, descriptor: int, body: bytes, removed: Callable[[], None]) -> None:
        """`removed` hears when it is gone from disk."""
        self.body = body
        self.count = count_in(path.name)
        """Items in it."""
        self._path = path
        self._descriptor = descriptor
        self._removed = removed

    def remove(self) -> None:
        """It was delivered, or never will be."""
        if sys.platform != "win32":
            self._path.unlink(missing_ok=True)
            self.leave()
        else:  # an open file cannot be removed there
            self.leave()
            self._path.unlink(missing_ok=True)
        self._removed()

    def leave(self) -> None:
        """Leaves it to whoever comes next."""
        _unlock(self._descriptor)
        os.close(self._descriptor)


class Spill:
    """The spilled requests of one signal. Safe to use from several threads, and beside other processes."""

    def __init__(self, folder: Path, *, max_bytes: int) -> None:
        """Raises OSError where the folder cannot be made. What lies in it is nobody else's to read."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._max_bytes = max_bytes
        self._bytes = 0
        self._scanned = -RESCAN_SECONDS
        self._names: deque[str] = deque()
        self.torn = 0
        """Files that were removed because they were torn."""
        self.after_fork()
        self._remove_abandoned()
        self._scan()

    def after_fork(self) -> None:
        self._lock = threading.RLock()  # protects what is known of the folder

    def is_empty(self) -> bool:
        """Whether nothing waits here, as far as was seen within the last second."""
        with self._lock:
            return self._is_empty()

    def _is_empty(self) -> bool:
        if not self._names and time.monotonic() - self._scanned >= RESCAN_SECONDS:
            self._scan()
        return not self._names

    def write(self, body: bytes, count: int) -> int:
        """Keeps a request of `count` items; how many items had to go for it, the oldest first.

        Raises OSError where it cannot be written.
        """
        size = _HEADER.size + len(body)
        with self._lock:
            if time.monotonic() - self._scanned >= RESCAN_SECONDS:
                self._scan()
            dropped = self._make_room(size)
            if self._bytes + size > self._max_bytes:
                return dropped + count
            self._names.append(self._write(body, count))
            self._bytes += size
        return dropped

    def _write(self, body: bytes, count: int) -> str:
        name = f"{time.time_ns():020d}-{os.getpid()}-{next(_numbers)}-{count}{ENDING}"
        descriptor, temporary = tempfile.mkstemp(dir=self._folder, suffix=UNFINISHED)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(_HEADER.pack(_MAGIC, zlib.crc32(body), len(body)))
                file.write(body)
            os.replace(temporary, self._folder / name)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            raise
        return name

    def claim(self) -> SpilledRequest | None:
        """The oldest request that no process is sending; None if there is none."""
        with self._lock:
            while not self._is_empty():
                claimed = self._claim(self._folder / self._names.popleft())
                if claimed is not None:
                    return claimed
        return None

    def _claim(self, path: Path) -> SpilledRequest | None:
        descriptor = _open_locked(path)
        if descriptor is None:
            return None
        with open(descriptor, "rb", closefd=False) as file:
            content = file.read()
        body = _body(content)
        request = SpilledRequest(path, descriptor, body or b"", partial(self._forget, len(content)))
        if body is None:
            self.torn += 1
            request.remove()
            return None
        return request

    def _forget(self, size: int) -> None:
        with self._lock:
            self._bytes = max(0, self._bytes - size)

    def _make_room(self, size: int) -> int:
        """Removes the oldest requests until one of `size` bytes fits; how many items they had."""
        dropped = 0
        for name in list(self._names):
            if self._bytes + size <= self._max_bytes or size > self._max_bytes:
                break
            claimed = self._claim(self._folder / name)
            if claimed is None:  # another process sends it, or has sent it; the next scan tells
                continue
            dropped += claimed.count
            claimed.remove()
            self._names.remove(name)
        return dropped

    def _scan(self) -> None:
        found = []
        total = 0
        with suppress(OSError), os.scandir(self._folder) as entries:
            for entry in entries:
                if entry.name.endswith(ENDING):
                    with suppress(OSError):
                        total += entry.stat().st_size
                        found.append(entry.name)
        self._names = deque(sorted(found))
        self._bytes = total
        self._scanned = time.monotonic()

    def _remove_abandoned(self) -> None:
        with suppress(OSError):
            for path in self._folder.glob(f"*{UNFINISHED}"):
                if time.time() - path.stat().st_mtime > ABANDONED_SECONDS:
                    path.unlink()


def open_spill(settings: Settings, signal: str) -> Spill | None:
    """The spill of one signal; None where none is asked for, or the folder cannot be had.

    Each collector, project and key has a folder of its own: another one's data must not be sent there.
    """
    if not settings.spill_dir:
        return None
    destination = "\n".join((settings.endpoint, settings.api_url, settings.project, settings.api_key))
    folder = Path(settings.spill_dir, hashlib.sha256(destination.encode()).hexdigest()[:16], signal)
    try:
        return Spill(folder, max_bytes=settings.max_spill_bytes)
    except OSError as error:
        log.error("spill_dir=%r (SPANLOOP_SPILL_DIR) cannot be used: %s", settings.spill_dir, error)
        return None


def count_in(name: str) -> int:
    """How many items the file of this name has."""
    digits = name.removesuffix(ENDING).rpartition("-")[2]
    return int(digits) if digits.isdigit() else 1


def _body(content: bytes) -> bytes | None:
    """The request in a file; None if the file is torn."""
    if len(content) < _HEADER.size:
        return None
    magic, checksum, length = _HEADER.unpack_from(content)
    body = content[_HEADER.size :]
    return body if (magic, length, checksum) == (_MAGIC, len(body), zlib.crc32(body)) else None


def _open_locked(path: Path) -> int | None:
    """A descriptor of the file, locked; None if it is gone, or another process has the lock."""
    try:
        descriptor = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
    except OSError:
        return None
    # Another process may have sent and removed it between the two steps.
    if _lock(descriptor) and os.fstat(descriptor).st_nlink:
        return descriptor
    os.close(descriptor)
    return None


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(descriptor: int) -> None:
        os.lseek(descriptor, 0, os.SEEK_SET)
        with suppress(OSError):
            msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def _unlock(descriptor: int) -> None:
        """Explicitly: a forked child may hold the same lock."""
        fcntl.flock(descriptor, fcntl.LOCK_UN)
