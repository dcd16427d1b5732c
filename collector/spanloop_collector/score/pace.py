"""What comes in comes first: while spans wait to be stored, scoring takes a tenth of the time only."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

CALM_SECONDS = 1.0
"""Inserts must have kept up for this long."""
REST_PER_WORK = 9.0
MAX_REST_SECONDS = 3.0
LOOK_EVERY_SECONDS = 0.25


class Pace:
    """Says how long to rest after a piece of work."""

    def __init__(self, calm_seconds: Callable[[], float]) -> None:
        """`calm_seconds` says for how long inserts have kept up with what comes in."""
        self._calm_seconds = calm_seconds

    async def rest(self, worked_seconds: float, *, most_seconds: float = 0.0) -> None:
        """Lets others work, for at most `most_seconds` as soon as there is no need to."""
        loop = asyncio.get_running_loop()
        began, enough = loop.time(), worked_seconds * REST_PER_WORK
        while True:
            most = MAX_REST_SECONDS if self._calm_seconds() < CALM_SECONDS else most_seconds
            left = began + min(enough, most) - loop.time()
            if left <= 0:
                return
            await asyncio.sleep(min(left, LOOK_EVERY_SECONDS))
