"""Queues tasks for what was just stored: one statement for all rules over exactly the rows of some segments.

Runs beside the inserts, after a segment's insert and before the segment is removed: a crash in between repeats both,
and a task that is queued twice is seen to be the same. A rule that fails is left out and says why; it never stops
the others, nor what comes in.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from clickhouse_connect.driver.exceptions import Error

from spanloop_collector.errors import StoreUnavailableError
from spanloop_collector.schema.fragments import settings_clause
from spanloop_collector.score.matching import MATCH_COLUMNS, rows_of, select_tasks
from spanloop_collector.score.pace import Pace
from spanloop_collector.score.received import ReceivedRange, received_ranges
from spanloop_collector.score.refusal import is_passing
from spanloop_collector.score.results import Results
from spanloop_collector.score.rule import Rule
from spanloop_collector.score.rulebook import RuleBook
from spanloop_collector.spool.segment import SealedSegment
from spanloop_collector.store import Store

MAX_SEGMENTS = 32
REST_SECONDS = 0.25
"""At most between two statements, so that one serves several segments."""
MAX_EXECUTION_SECONDS = 20
FIRST_RETRY_SECONDS = 0.25
RETRY_MAX_SECONDS = 5.0
MAX_WAITING_SEGMENTS = 512
"""More than this, and rules are too slow for what comes in: the oldest are let go untouched."""

SETTINGS = {
    "max_threads": "1",
    "max_execution_time": str(MAX_EXECUTION_SECONDS),
    "max_memory_usage": str(1 << 30),
    "deduplicate_blocks_in_dependent_materialized_views": "1",
}

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Stored:
    """A segment whose rows are in ClickHouse."""

    segment: SealedSegment
    done: asyncio.Event = field(default_factory=asyncio.Event)


class Trigger:
    """Looks at each stored segment once, with the rules of that moment."""

    def __init__(
        self, store: Store, book: RuleBook, results: Results, *, pace: Pace, on_queued: Callable[[], None]
    ) -> None:
        """`on_queued` is told, in some thread, when there may be new tasks."""
        self._store = store
        self._pace = pace
        self._book = book
        self._results = results
        self._on_queued = on_queued
        self._waiting: list[_Stored] = []
        self._arrived = asyncio.Event()
        self._failing: set[str] = set()

    @property
    def is_needed(self) -> bool:
        """Whether any rule is active."""
        return bool(self._book.active())

    async def look_at(self, segment: SealedSegment) -> None:
        """Returns once the segment's rows were looked at and it may be removed."""
        if not self.is_needed and self._results.has_scores is False:
            return
        if len(self._waiting) >= MAX_WAITING_SEGMENTS:
            logger.warning("score: rules are too slow, rows of a segment are not looked at token=%s", segment.token)
            self._waiting.pop(0).done.set()
        stored = _Stored(segment)
        self._waiting.append(stored)
        self._arrived.set()
        await stored.done.wait()

    async def run(self) -> None:
        """Works until cancelled."""
        pause = FIRST_RETRY_SECONDS
        while True:
            await self._arrived.wait()
            batch, started = self._waiting[:MAX_SEGMENTS], time.monotonic()
            try:
                await asyncio.to_thread(self.look, [stored.segment for stored in batch])
            except (Error, StoreUnavailableError) as error:
                logger.debug("score: tasks are queued later reason=%s", error)
                await asyncio.sleep(pause)
                pause = min(pause * 2, RETRY_MAX_SECONDS)
                continue
            pause = FIRST_RETRY_SECONDS
            self._settle(batch)
            await self._pace.rest(time.monotonic() - started, most_seconds=REST_SECONDS)

    def look(self, segments: Sequence[SealedSegment]) -> None:
        """Queues a task for each row, rule and scorer, and gives rows that came again their scores. Blocks."""
        if not self._results.has_scores:
            self._results.look_for_scores()
        rules = self._book.active()
        received = " OR ".join(map(_is_received, received_ranges(segments)))
        if received and rules:
            self._queue_tasks(rules, f"({received})", [segment.token for segment in segments])
            self._on_queued()
        if received and self._results.has_scores:
            self._restore(f"({received})")

    def _queue_tasks(self, rules: Sequence[Rule], received: str, tokens: Sequence[str]) -> None:
        # Rules that failed last time go alone: they would take the others with them.
        sound = [rule for rule in rules if rule.rule_id not in self._failing]
        if sound and not self._try(sound, received, tokens):
            for rule in sound:
                self._try_alone(rule, received, tokens)
        for rule in rules:
            if rule not in sound:
                self._try_alone(rule, received, tokens)

    def _restore(self, received: str) -> None:
        try:
            self._results.restore(received)
        except Error as error:
            if is_passing(error):
                raise
            logger.warning("score: rows that came again may lack their scores reason=%s", error)

    def _try(self, rules: Sequence[Rule], received: str, tokens: Sequence[str]) -> bool:
        try:
            self._insert(rules, received, tokens)
        except Error as error:
            if is_passing(error):
                raise
            return False
        return True

    def _try_alone(self, rule: Rule, received: str, tokens: Sequence[str]) -> None:
        try:
            self._insert([rule], received, tokens)
        except Error as error:
            if is_passing(error):
                raise
            self._failing.add(rule.rule_id)
            self._book.report(rule, str(error)[:1000])
        else:
            self._failing.discard(rule.rule_id)
            self._book.report(rule, "")

    def _insert(self, rules: Sequence[Rule], received: str, tokens: Sequence[str]) -> None:
        conditions = " ".join(condition for rule in rules for condition in rule.conditions())
        rows = rows_of(self._store.database, received, mentioned_in=conditions)
        select = select_tasks(rules, rows)
        names = ",".join(f"{rule.rule_id}:{rule.version}" for rule in rules)
        token = hashlib.sha256("|".join((*sorted(tokens), names)).encode()).hexdigest()
        settings = settings_clause(SETTINGS | {"insert_deduplication_token": token})
        self._store.command(f"INSERT INTO {self._store.database}.scoring_matches ({MATCH_COLUMNS}) {settings} {select}")

    def _settle(self, batch: Sequence[_Stored]) -> None:
        for stored in batch:
            stored.done.set()
        settled = set(map(id, batch))
        self._waiting = [stored for stored in self._waiting if id(stored) not in settled]
        if not self._waiting:
            self._arrived.clear()


def _is_received(times: ReceivedRange) -> str:
    return (
        f"received BETWEEN fromUnixTimestamp64Micro({times.first_us}, 'UTC') "
        f"AND fromUnixTimestamp64Micro({times.last_us}, 'UTC')"
    )
