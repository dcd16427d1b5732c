"""What comes in comes first: while spans wait to be stored, scoring takes a part of the time only."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

BEHIND_SECONDS = 1.0
"""Spans are stored well within this time when ClickHouse keeps up."""
REST_PER_WORK = 9.0
MAX_REST_SECONDS = 5.0
LOOK_EVERY_SECONDS = 0.25


class Pace:
    """Says how long to rest after a piece of work."""

    def __init__(self, waiting_seconds: Callable[[], float]) -> None:
        """`waiting_seconds` says how long the oldest spans wait to be stored."""
        self._waiting_seconds = waiting_seconds

    async def rest(self, worked_seconds: float, *, most_seconds: float = 0.0) -> None:
        """Lets others work, for at most `most_seconds` as soon as there is no need to."""
        loop = asyncio.get_running_loop()
        began, enough = loop.time(), worked_seconds * REST_PER_WORK
        while True:
            most = MAX_REST_SECONDS if self._waiting_seconds() > BEHIND_SECONDS else most_seconds
            left = began + min(enough, most) - loop.time()
            if left <= 0:
                return
            await asyncio.sleep(min(left, LOOK_EVERY_SECONDS))
