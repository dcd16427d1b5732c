"""Queues tasks for what was just stored: one statement for all rules over exactly the rows of some segments.

Runs beside the inserts, after a segment's insert and before the segment is removed: a crash in between repeats both,
and a task that is queued twice is seen to be the same. While rules are slower than what comes in, segments wait on
disk. A rule that fails is left out and says why; it never stops the others, nor what comes in.
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
from spanloop_collector.score.received import received_condition
from spanloop_collector.score.refusal import is_passing, is_too_much
from spanloop_collector.score.results import Results
from spanloop_collector.score.rule import Rule
from spanloop_collector.score.rulebook import RuleBook
from spanloop_collector.spool.segment import SealedSegment
from spanloop_collector.store import Store

MAX_SEGMENTS = 64
"""In one statement."""
REST_SECONDS = 0.25
"""At most between two statements while ClickHouse keeps up, so that one serves several segments."""
MAX_EXECUTION_SECONDS = 20
FIRST_RETRY_SECONDS = 0.25
RETRY_MAX_SECONDS = 5.0

SETTINGS = {
    "max_threads": "1",
    "max_execution_time": str(MAX_EXECUTION_SECONDS),
    "max_memory_usage": str(1 << 30),
    "deduplicate_blocks_in_dependent_materialized_views": "1",
    # Compiling expressions takes longer than they run.
    "compile_expressions": "0",
}

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Stored:
    """A segment whose rows are in ClickHouse."""

    segment: SealedSegment
    done: asyncio.Event = field(default_factory=asyncio.Event)


class Trigger:
    """Looks at each stored segment, with the rules of that moment."""

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
        self._statement = _Statement.of((), store.database)

    async def look_at(self, segment: SealedSegment) -> None:
        """Returns once the segment's rows were looked at and it may be removed."""
        if not self._book.active() and self._results.has_scores is False:
            return
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
        if rules:
            self._queue_tasks(rules, segments)
            self._on_queued()
        if self._results.has_scores:
            self._restore(segments)

    def _queue_tasks(self, rules: Sequence[Rule], segments: Sequence[SealedSegment]) -> None:
        # Rules that failed last time go alone: they would take the others with them.
        failing = [rule for rule in rules if rule.rule_id in self._failing] if self._failing else []
        sound = [rule for rule in rules if rule not in failing] if failing else rules
        if sound and not self._try(sound, segments):
            failing = list(rules)
        for rule in failing:
            self._try_alone(rule, segments)

    def _try(self, rules: Sequence[Rule], segments: Sequence[SealedSegment]) -> bool:
        try:
            self._insert(rules, segments)
        except Error as error:
            if is_passing(error):
                raise
            return False
        return True

    def _try_alone(self, rule: Rule, segments: Sequence[SealedSegment]) -> None:
        try:
            self._insert([rule], segments)
        except Error as error:
            if is_passing(error):
                raise
            self._failing.add(rule.rule_id)
            self._book.report(rule, str(error)[:1000])
        else:
            self._failing.discard(rule.rule_id)
            self._book.report(rule, "")

    def _insert(self, rules: Sequence[Rule], segments: Sequence[SealedSegment]) -> None:
        received = received_condition(segments)
        if not received:
            return
        # Put together when rules change: what they cost Python does not depend on how many there are.
        if self._statement.rules is not rules:
            self._statement = _Statement.of(rules, self._store.database)
        try:
            self._store.command(self._statement.over(received, tokens=[segment.token for segment in segments]))
        except Error as error:
            if len(segments) == 1 or not is_too_much(error):
                raise
            middle = len(segments) // 2
            self._insert(rules, segments[:middle])
            self._insert(rules, segments[middle:])

    def _restore(self, segments: Sequence[SealedSegment]) -> None:
        received = received_condition(segments)
        try:
            if received:
                self._results.restore(received)
        except Error as error:
            if is_passing(error):
                raise
            logger.warning("score: rows that came again may lack their scores reason=%s", error)

    def _settle(self, batch: Sequence[_Stored]) -> None:
        for stored in batch:
            stored.done.set()
        settled = set(map(id, batch))
        self._waiting = [stored for stored in self._waiting if id(stored) not in settled]
        if not self._waiting:
            self._arrived.clear()


@dataclass(frozen=True, slots=True)
class _Statement:
    """The statement for some rules, but for the rows that it is about and its token."""

    rules: Sequence[Rule]
    names: str
    insert: str
    before_rows: str
    after_rows: str

    @classmethod
    def of(cls, rules: Sequence[Rule], database: str) -> _Statement:
        conditions = " ".join(condition for rule in rules for condition in rule.conditions())
        gap = "\0"
        before, _, after = select_tasks(rules, rows_of(database, gap, mentioned_in=conditions)).partition(gap)
        names = ",".join(f"{rule.rule_id}:{rule.version}" for rule in rules)
        return cls(rules, names, f"INSERT INTO {database}.scoring_matches ({MATCH_COLUMNS})", before, after)

    def over(self, received: str, *, tokens: Sequence[str]) -> str:
        """The whole statement; the same again, even much later, inserts nothing."""
        token = hashlib.sha256("|".join((*sorted(tokens), self.names)).encode()).hexdigest()
        settings = settings_clause(SETTINGS | {"insert_deduplication_token": token})
        return f"{self.insert} {settings} {self.before_rows}{received}{self.after_rows}"
