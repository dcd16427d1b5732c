"""Online scoring as a whole: its parts, wired, and what runs in the background."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress

from spanloop_collector.query.queries import Queries
from spanloop_collector.score.backfill import Backfills
from spanloop_collector.score.dispatcher import Dispatcher
from spanloop_collector.score.idle import IdleWatch
from spanloop_collector.score.operations import ScoringRuleOperations
from spanloop_collector.score.pace import Pace
from spanloop_collector.score.queue_reader import QueueReader
from spanloop_collector.score.results import Results
from spanloop_collector.score.rulebook import RuleBook
from spanloop_collector.score.scored_rows import RowReader
from spanloop_collector.score.scorer_trials import ScorerTrials
from spanloop_collector.score.slots import SLOTS, slots_of
from spanloop_collector.score.spending import Spending
from spanloop_collector.score.trigger import Trigger
from spanloop_collector.score.worker_api import ScoringOperations
from spanloop_collector.store import Store


class Scoring:
    """Rules, queue and results of one collector."""

    def __init__(self, store: Store, *, calm_seconds: Callable[[], float] = lambda: math.inf) -> None:
        """`calm_seconds` says for how long inserts have kept up with what comes in."""
        self._store = store
        self.book = RuleBook(store)
        pace = Pace(calm_seconds)
        self.results = Results(store, self.book, pace=pace)
        self._spending = Spending(store, is_needed=self._has_budget)
        self._slots = slots_of(store)
        self.dispatcher = Dispatcher(
            self.book,
            QueueReader(store),
            RowReader(store, self.book.revision),
            self.results,
            idle=IdleWatch(store, self.book),
            spending=self._spending,
            slots=self._slots,
            pace=pace,
        )
        self.backfills = Backfills(store, self.book, self.dispatcher, is_ours=self._is_ours)
        self.trigger = Trigger(store, self.book, self.results, pace=pace, on_queued=self.dispatcher.nudge)

    @property
    def is_needed(self) -> bool:
        """Whether there is anything for a worker to do, now or soon."""
        return self.dispatcher.held > 0 or self.backfills.is_busy

    def _has_budget(self) -> bool:
        return any(rule.budget.cost_per_day for rule in self.book.rules())

    def _is_ours(self, id: str) -> bool:
        """Whether this collector carries out the backfill of that id."""
        return int(id[:2], 16) % SLOTS in self.dispatcher.owned

    def operations(
        self, queries: Queries, *, modules: Sequence[str], barrier: Callable[[], Awaitable[None]]
    ) -> dict[str, object]:
        """What serves the API, by service.

        `modules` have scorers of the operator's own; `barrier` returns once what was acknowledged is stored.
        """
        return {
            "ScoringRuleService": ScoringRuleOperations(
                self._store,
                self.book,
                self.backfills,
                queries=queries,
                trials=ScorerTrials(queries, modules=modules),
                barrier=barrier,
            ),
            "ScoringService": ScoringOperations(self.dispatcher),
        }

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Everything that works in the background, until the end of the block."""
        work = (
            self.book.watch(),
            self._spending.watch(),
            self._slots.run(),
            self.trigger.run(),
            self.results.run(),
            self.dispatcher.run(),
            self.backfills.run(),
        )
        tasks = [asyncio.create_task(each) for each in work]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            for task in tasks:
                with suppress(asyncio.CancelledError):
                    await task
