"""Lets a burst of spans go first: ClickHouse's merges wait while inserts are behind, and catch up afterwards.

A merge costs twice as much per row as its insert (sorting out older versions, building the word indexes). While the
spool holds more than ClickHouse takes, that time is better spent on inserts; the number of parts bounds how long.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from clickhouse_connect.driver.exceptions import Error

from spanloop_collector.errors import StoreUnavailableError
from spanloop_collector.schema.cluster import stored
from spanloop_collector.store import Store

LOOK_EVERY_SECONDS = 0.5
# Inserts must have kept up for this long before merges go on: one that starts in the middle of a burst slows it down,
# and is broken off and lost when it has to wait again.
CALM_SECONDS = 3.0
# Below the thousand at which ClickHouse slows down inserts, and few enough for quick queries.
MAX_PARTS = 250

logger = logging.getLogger(__name__)


class MergePacer:
    """Stops and starts the merges of `spans`."""

    def __init__(self, store: Store, calm_seconds: Callable[[], float]) -> None:
        """`calm_seconds` says for how long inserts have left ClickHouse pauses."""
        self._store = store
        self._table = stored("spans", store.cluster)
        self._calm_seconds = calm_seconds
        self._is_held = False

    async def run(self) -> None:
        """Works until cancelled, and leaves merges running."""
        try:
            # A collector that was killed may have left them stopped.
            await self._try(self._start_merges)
            while True:
                await asyncio.sleep(LOOK_EVERY_SECONDS)
                if self._calm_seconds() <= CALM_SECONDS:
                    await self._try(self._hold)
                elif self._is_held:
                    await self._try(self._start_merges)
        finally:
            if self._is_held:
                await self._try(self._start_merges)

    def _hold(self) -> None:
        """Stops merges as long as there is room for more parts."""
        if self._is_held != (has_room := self._count_parts() < MAX_PARTS):
            (self._stop_merges if has_room else self._start_merges)()

    def _count_parts(self) -> int:
        (count,) = self._store.column(
            "SELECT max(parts) FROM (SELECT count() AS parts FROM system.parts "
            "WHERE database = {database:String} AND table = {table:String} AND active GROUP BY partition)",
            {"database": self._store.database, "table": self._table},
        )
        return int(count or 0)

    def _stop_merges(self) -> None:
        self._store.command(f"SYSTEM STOP MERGES {self._store.database}.{self._table}")
        self._is_held = True
        logger.debug("merges: waiting for a burst of spans to pass")

    def _start_merges(self) -> None:
        self._store.command(f"SYSTEM START MERGES {self._store.database}.{self._table}")
        self._is_held = False

    async def _try(self, step: Callable[[], None]) -> None:
        """Runs a blocking step; a server that does not let us, or is away, merges as it likes."""
        try:
            await asyncio.to_thread(step)
        except (Error, StoreUnavailableError) as error:
            logger.debug("merges: left alone reason=%s", error)
