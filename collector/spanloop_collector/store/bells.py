"""Bells that ring when a table was written, so that nobody asks ClickHouse again and again whether there is work.

Whoever writes a table in this process rings its bell. What other collectors write is found by one small statement
for all bells, every few seconds.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol

from clickhouse_connect.driver.exceptions import Error

from spanloop_collector.errors import StoreUnavailableError
from spanloop_collector.schema.cluster import stored, system_table

LOOK_AGAIN_SECONDS = 30.0
"""How long a bell is waited for at most: what was to be done when it rang may have failed."""
LOOK_FOR_OTHERS_SECONDS = 3.0

# Each insert makes a part with a higher number, here or on another replica; merges keep it.
READ_NEWEST = """
SELECT table, sum(cityHash64(partition_id, newest))
FROM
(
    SELECT table, partition_id, max(max_block_number) AS newest
    FROM {parts}
    WHERE database = {database:String} AND active AND table IN {tables:Array(String)}
    GROUP BY table, partition_id
)
GROUP BY table
"""

logger = logging.getLogger(__name__)


class Bell:
    """Wakes whoever waits for it, in the event loop it was made in."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Wakes, or lets the next wait return at once. May be called from any thread."""
        # The loop is closed when a thread outlives the collector.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._rung.set)

    async def wait(self, seconds: float = LOOK_AGAIN_SECONDS) -> None:
        """Returns when it rang since the last return, at the latest after so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._rung.wait()
        self._rung.clear()


class Bells:
    """The bells of a store's tables. May be used from any thread."""

    def __init__(self) -> None:
        self._bells: dict[Bell, frozenset[str]] = {}
        self._lock = threading.Lock()

    @contextmanager
    def listen(self, *tables: str) -> Iterator[Bell]:
        """A bell that rings when one of the tables was written."""
        bell = Bell()
        with self._lock:
            self._bells[bell] = frozenset(tables)
        try:
            yield bell
        finally:
            with self._lock:
                del self._bells[bell]

    def ring(self, *tables: str) -> None:
        """Says that these tables were written."""
        with self._lock:
            listening = [bell for bell, heard in self._bells.items() if not heard.isdisjoint(tables)]
        for bell in listening:
            bell.ring()

    @property
    def tables(self) -> list[str]:
        """The tables that somebody listens to, by name."""
        with self._lock:
            return sorted(frozenset().union(*self._bells.values()))


class SharedDatabase(Protocol):
    """The store, as far as hearing of other collectors needs it."""

    @property
    def database(self) -> str: ...

    @property
    def cluster(self) -> str: ...

    @property
    def is_embedded(self) -> bool: ...

    @property
    def bells(self) -> Bells: ...

    def query(self, sql: str, parameters: dict[str, Any] | None = None) -> Any: ...


async def hear_others(store: SharedDatabase) -> None:
    """Rings for what other collectors write, until cancelled. An embedded ClickHouse has one collector only."""
    if store.is_embedded:
        return
    seen: dict[str, int] | None = None
    while True:
        await asyncio.sleep(LOOK_FOR_OTHERS_SECONDS)
        try:
            newest = await asyncio.to_thread(_read_newest, store)
        except (Error, StoreUnavailableError) as error:
            logger.debug("bells: will look again reason=%s", error)
            # Whatever failed meanwhile is tried again as soon as ClickHouse answers.
            seen = None
            continue
        changed = (table for table in store.bells.tables if seen is None or seen.get(table) != newest.get(table))
        store.bells.ring(*changed)
        seen = newest


def _read_newest(store: SharedDatabase) -> dict[str, int]:
    names = {stored(table, store.cluster): table for table in store.bells.tables}
    sql = READ_NEWEST.replace("{parts}", system_table("parts", store.cluster))
    rows = store.query(sql, {"database": store.database, "tables": list(names)}).result_rows
    return {names[table]: newest for table, newest in rows}
