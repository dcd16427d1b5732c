"""What rules with a budget have cost since midnight UTC."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable
from typing import Any, Protocol

from clickhouse_connect.driver.exceptions import Error

from spanloop_collector.errors import SpanloopError

READ_EVERY_SECONDS = 5.0
LOOK_EVERY_SECONDS = 0.5
READ_COST = """
SELECT rule_id, sum(cost) FROM {database:Identifier}.online_scores FINAL
WHERE scored >= toStartOfDay(now('UTC')) AND cost > 0 GROUP BY rule_id
"""

logger = logging.getLogger(__name__)


class CostDatabase(Protocol):
    """The store, as far as costs need it."""

    @property
    def database(self) -> str: ...

    def query(self, sql: str, parameters: dict[str, Any] | None = None) -> Any: ...


class Spending:
    """Costs of today by rule: as stored, and what came since."""

    def __init__(self, store: CostDatabase, *, is_needed: Callable[[], bool]) -> None:
        """`is_needed` says whether any rule has a budget."""
        self._store = store
        self._is_needed = is_needed
        self._stored: dict[str, float] | None = None
        self._since: dict[str, float] = {}

    async def watch(self) -> None:
        """Reads the stored costs again and again until cancelled: other collectors spend, too."""
        while True:
            while not self._is_needed():  # noqa: ASYNC110 - what is needed is asked, nobody says it
                await asyncio.sleep(LOOK_EVERY_SECONDS)
            try:
                await self.read()
            except (Error, SpanloopError) as error:
                logger.debug("score: costs are read again later reason=%s", error)
            await asyncio.sleep(READ_EVERY_SECONDS)

    async def read(self) -> None:
        """Brings the costs up to date."""
        counted = dict(self._since)
        found = await asyncio.to_thread(self._store.query, READ_COST, {"database": self._store.database})
        self._stored = dict(found.result_rows)
        # What was added while ClickHouse answered may be missing in its answer.
        for rule_id, cost in counted.items():
            self._since[rule_id] -= cost

    def add(self, rule_id: str, cost: float) -> None:
        """Counts what a call cost, once that is stored."""
        if cost:
            self._since[rule_id] = self._since.get(rule_id, 0.0) + cost

    def today(self, rule_id: str) -> float:
        """US dollars; infinite until it is known."""
        if self._stored is None:
            return math.inf
        return self._stored.get(rule_id, 0.0) + self._since.get(rule_id, 0.0)
