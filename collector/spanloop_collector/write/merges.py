"""Lets a burst of spans go first: ClickHouse's merges wait while inserts are behind, and catch up afterwards.

A merge costs twice as much per row as its insert (sorting out older versions, building the word indexes). While the
spool holds more than ClickHouse takes, that time is better spent on inserts; the number of parts bounds how long.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from typing import Protocol

from clickhouse_connect.driver.exceptions import Error

from spanloop_collector.errors import StoreUnavailableError
from spanloop_collector.schema.cluster import stored
from spanloop_collector.store import Store

LOOK_EVERY_SECONDS = 0.5
BEHIND_SECONDS = 0.5
"""A segment is stored well within this time of its first span when ClickHouse keeps up."""
# Inserts must have kept up for this long before merges go on: one that starts in the middle of a burst slows it down,
# and is broken off and lost when it has to wait again.
CALM_SECONDS = 3.0
# Below the thousand at which ClickHouse slows down inserts, and few enough for quick queries.
MAX_PARTS = 250

logger = logging.getLogger(__name__)


class Inserts(Protocol):
    """Where spans wait to be stored."""

    @property
    def waiting_seconds(self) -> float:
        """How long the oldest of them wait."""


class MergePacer:
    """Stops and starts the merges of `spans`."""

    def __init__(self, store: Store, inserts: Iterable[Inserts]) -> None:
        self._store = store
        self._table = stored("spans", store.cluster)
        self._inserts = list(inserts)
        self._is_held = False
        self._behind_at = float("-inf")

    async def run(self) -> None:
        """Works until cancelled, and leaves merges running."""
        try:
            # A collector that was killed may have left them stopped.
            await self._try(self._start_merges)
            while True:
                await asyncio.sleep(LOOK_EVERY_SECONDS)
                if self._is_behind() or self._is_held:
                    await self._try(self._adjust)
        finally:
            if self._is_held:
                await self._try(self._start_merges)

    def _adjust(self) -> None:
        if time.monotonic() - self._behind_at > CALM_SECONDS:
            if self._is_held:
                self._start_merges()
        elif self._is_held != (has_room := self._count_parts() < MAX_PARTS):
            (self._stop_merges if has_room else self._start_merges)()

    def _is_behind(self) -> bool:
        is_behind = any(each.waiting_seconds > BEHIND_SECONDS for each in self._inserts)
        if is_behind:
            self._behind_at = time.monotonic()
        return is_behind

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
