"""One process per directory: a lock file that names its holder and dies with it."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from spanloop_collector.errors import ConfigError

LOCK_NAME = "lock"


class DirectoryLock:
    """Holds a directory until `release` or the end of the process, however that comes."""

    def __init__(self, directory: Path) -> None:
        """Raises ConfigError when another process holds the directory."""
        path = directory / LOCK_NAME
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(self._descriptor, 32).decode(errors="replace").strip()
            os.close(self._descriptor)
            raise ConfigError(
                f"{directory} is in use by process {holder or 'unknown'}; "
                f"stop that collector, or give this one its own --data-dir (SPANLOOP_DATA_DIR)"
            ) from None
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Lets others in. The file stays: removing it would race with a process that just opened it."""
        os.close(self._descriptor)
