"""What comes in comes first: while spans wait to be stored, scoring takes a part of the time only."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

REST_PER_WORK = 9.0
MAX_REST_SECONDS = 1.0


class Pace:
    """Says how long to rest after a piece of work."""

    def __init__(self, is_behind: Callable[[], bool]) -> None:
        """`is_behind` says whether spans wait to be stored."""
        self._is_behind = is_behind

    async def rest(self, worked_seconds: float, *, most_seconds: float = 0.0) -> None:
        """Lets others work, for at most `most_seconds` while there is no need to."""
        most = MAX_REST_SECONDS if self._is_behind() else most_seconds
        await asyncio.sleep(min(worked_seconds * REST_PER_WORK, most))
