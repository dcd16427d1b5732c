"""How much of the last moments something was under way."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

OVER_SECONDS = 0.5
"""What is longer ago than this counts little."""


class BusyShare:
    """From 0, nothing was under way, to 1, something was all the time. May be read from any thread."""

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._is_busy = False
        self._turned = (now(), 0.0)

    def turn(self, *, is_busy: bool) -> None:
        """From now on something is under way, or nothing is."""
        self._turned = (self._now(), self.share)
        self._is_busy = is_busy

    @property
    def share(self) -> float:
        """As of now."""
        turned_at, share = self._turned
        fades = math.exp((turned_at - self._now()) / OVER_SECONDS)
        return share * fades + self._is_busy * (1 - fades)
