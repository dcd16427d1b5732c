"""How much may be handed out now: calls per minute, scores per minute, dollars per day, and pauses."""

from __future__ import annotations

import time
from collections.abc import Callable

MINUTE_SECONDS = 60.0


class Allowance:
    """So many per minute, in small portions: after a quiet minute no more than a few seconds' worth at once."""

    BURST_SECONDS = 6.0

    def __init__(self, per_minute: float, *, now: Callable[[], float] = time.monotonic) -> None:
        self.per_minute = per_minute
        self._now = now
        self._left = self._most = max(per_minute * self.BURST_SECONDS / MINUTE_SECONDS, 1.0)
        self._counted_at = now()

    def available(self) -> int:
        """How many may go now."""
        now = self._now()
        self._left = min(self._left + (now - self._counted_at) * self.per_minute / MINUTE_SECONDS, self._most)
        self._counted_at = now
        return int(self._left + 1e-9)

    def take(self, count: int) -> None:
        """Counts what went."""
        self._left -= count


class Allowances:
    """One allowance per name, made when it is first asked for, and anew when its rate changes."""

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._by_name: dict[str, Allowance] = {}
        self._paused_until: dict[str, float] = {}

    def available(self, name: str, per_minute: float, *, most: int) -> int:
        """How many of the name may go now, at most `most`; 0 per minute means no limit."""
        if self._paused_until.get(name, 0.0) > self._now():
            return 0
        if not per_minute:
            return most
        allowance = self._by_name.get(name)
        if allowance is None or allowance.per_minute != per_minute:
            allowance = self._by_name[name] = Allowance(per_minute, now=self._now)
        return min(allowance.available(), most)

    def take(self, name: str, count: int) -> None:
        """Counts what went."""
        if name in self._by_name:
            self._by_name[name].take(count)

    def pause(self, name: str, seconds: float) -> None:
        """Lets none of the name go for so long."""
        self._paused_until[name] = max(self._paused_until.get(name, 0.0), self._now() + seconds)
