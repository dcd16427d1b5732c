"""Version numbers: the time in nanoseconds, and never the same or a smaller one twice."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class VersionClock:
    """Hands out version numbers that grow. Safe to use from several threads."""

    def __init__(self, now: Callable[[], int] = time.time_ns) -> None:
        self._now = now
        # Protects `_last`.
        self._lock = threading.Lock()
        self._last = 0

    def next(self, *, after: int = 0) -> int:
        """A version above every one handed out, and above `after`, which another collector's clock may have made."""
        with self._lock:
            self._last = max(self._now(), self._last + 1, after + 1)
            return self._last
