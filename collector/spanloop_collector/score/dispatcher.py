"""Hands tasks to workers and takes what became of them: who has which, until when, and what is tried again.

scoring_queue ─ read ─▶ parked (trace, group: until idle) ─▶ lines ─ claim ─▶ leased ─ complete ─▶ results
                                                               ▲                 │
                                                               └─ later, failed ─┘  lease ran out
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Protocol

from spanloop_collector.score.attendance import Attendance
from spanloop_collector.score.idle import IdleWatch
from spanloop_collector.score.intake import Intake
from spanloop_collector.score.known_tasks import KnownTasks
from spanloop_collector.score.leases import Lease, Leases
from spanloop_collector.score.limits import Limits
from spanloop_collector.score.line import Key, Line, Lines
from spanloop_collector.score.outcome import FAILED, RETURNED, Outcome, skipped
from spanloop_collector.score.pace import Pace
from spanloop_collector.score.queue_reader import QueueReader
from spanloop_collector.score.rule import Rule, RuleScorer
from spanloop_collector.score.rulebook import RuleBook
from spanloop_collector.score.scored_rows import RowReader, ScoredRow
from spanloop_collector.score.slots import Slots
from spanloop_collector.score.spending import Spending
from spanloop_collector.score.task import Task
from spanloop_collector.store.bells import Bell
from spanloop_collector.store.rounds import keep_doing

LOOK_EVERY_SECONDS = 0.25
"""For what is due: traces that are idle, tries that waited, leases that ran out."""
MAX_CLAIM_BYTES = 16 * 1024 * 1024
"""Of the rows that one claim gives."""
TYPICAL_ROW_BYTES = 8 * 1024.0
"""Until some were seen: no more rows are read than are likely to fit a claim."""
FIRST_BACKOFF_SECONDS = 1.0
MAX_BACKOFF_SECONDS = 60.0

logger = logging.getLogger(__name__)


class ResultStore(Protocol):
    """Where outcomes are stored; they are visible when it returns."""

    async def store(self, outcomes: Sequence[Outcome]) -> None: ...


@dataclass(frozen=True, slots=True)
class HandedOut:
    """What a worker gets."""

    task: Task
    scorer: RuleScorer
    row: ScoredRow


@dataclass(frozen=True, slots=True)
class Claim:
    """Who asks for tasks."""

    worker: str
    modules: frozenset[str]
    project: str = ""
    """The only project whose tasks it may have; empty for any."""


class Dispatcher:
    """The tasks of this collector's slots. Everything but reading and storing happens in the event loop."""

    def __init__(
        self,
        book: RuleBook,
        reader: QueueReader,
        rows: RowReader,
        results: ResultStore,
        *,
        idle: IdleWatch,
        spending: Spending,
        slots: Slots,
        pace: Pace,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._book = book
        self._rows = rows
        self._results = results
        self._limits = Limits(spending, now=now)
        self._slots = slots
        self._pace = pace
        self._now = now
        self._lines, self._known, self._leases = Lines(), KnownTasks(now=now), Leases(now=now)
        self._intake = Intake(reader, self._lines, self._known, idle=idle, slots=slots, now=now)
        self._attendance = Attendance(now=now)
        self._ended_workers: set[str] = set()
        self._complaints: dict[str, str] = {}
        self._row_bytes = TYPICAL_ROW_BYTES
        self._background: set[asyncio.Future[None]] = set()
        self._bell: Bell | None = None
        self._available = asyncio.Event()

    @property
    def held(self) -> int:
        """Tasks in memory that nobody has yet."""
        return self._intake.held

    @property
    def owned(self) -> frozenset[int]:
        """The slots that this collector hands out."""
        return self._intake.owned

    @property
    def is_caught_up(self) -> bool:
        """Whether everything that is queued is in memory."""
        return self._intake.is_caught_up

    def nudge(self) -> None:
        """Says that there may be new tasks. May be called from any thread."""
        self._intake.read_soon()
        if self._bell is not None:
            self._bell.ring()

    async def run(self) -> None:
        """Reads the queue until cancelled: when it is told that there is something, and now and then."""
        self._bell = Bell()
        await keep_doing("score", self.refill, self._bell)

    async def refill(self) -> float:
        """Fills the lines with what there is to do; returns the seconds until the next look."""
        self._take_back(self._leases.run_out())
        read_again_seconds = await self._intake.take_in(has_rules=bool(self._book.active()))
        if len(self._lines):
            self._available.set()
        await self._complain()
        return min(LOOK_EVERY_SECONDS, read_again_seconds) if self.held or len(self._leases) else read_again_seconds

    async def claim(self, claim: Claim, *, max_tasks: int, wait_seconds: float) -> list[HandedOut]:
        """Tasks with their rows; none when there is nothing to do for so long."""
        deadline = self._now() + wait_seconds
        while claim.worker not in self._ended_workers:
            self._attendance.asks(claim.worker, claim.modules)
            tasks = self._take(claim, min(max_tasks, max(int(MAX_CLAIM_BYTES / self._row_bytes), 1)))
            if tasks:
                handed_out = await self._with_rows(tasks, claim)
                if handed_out:
                    return handed_out
                continue
            left = deadline - self._now()
            if left <= 0:
                return []
            self._available.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._available.wait(), min(left, 1.0))
        return []

    def leased(self, id: str) -> Task | None:
        """The task of that id as it was handed out; None when nobody has it from here."""
        lease = self._leases.find(id)
        return lease.task if lease is not None else None

    def extend(self, worker: str, ids: Iterable[str]) -> list[str]:
        """Renews leases; returns the tasks that the worker still has, without those of slots that went elsewhere."""
        self._attendance.is_there(worker)
        owned = self._slots.owned()
        kept = [
            id for id in ids if (lease := self._leases.find(id)) and lease.worker == worker and lease.task.slot in owned
        ]
        for id in kept:
            self._leases.extend(id)
        return kept

    async def complete(self, worker: str, outcomes: Sequence[Outcome]) -> None:
        """Stores what became of tasks, or puts those that may do better in line again."""
        final: list[Outcome] = []
        for outcome in outcomes:
            lease = self._leases.find(outcome.task.id)
            if lease is not None and lease.worker != worker:
                # It took too long and somebody else has it now.
                continue
            self._limits.learn(outcome)
            if not self._retry(outcome):
                final.append(replace(outcome, cost=outcome.cost + outcome.task.cost))
        try:
            await self._results.store(final)
        finally:
            # Known before it is let go: the queue must not be read in between.
            for outcome in final:
                self._known.finish(outcome.task.id)
                self._limits.pay(outcome)
            for outcome in outcomes:
                self._release(outcome.task.id, worker)
            self._available.set()

    def worker_ended(self, worker: str) -> None:
        """Hands out again what a worker had that is known to have ended, as whoever started it knows."""
        self._ended_workers.add(worker)
        self._take_back(self._leases.of(worker))
        self._available.set()

    async def _complain(self) -> None:
        """Lets rules say it when no worker takes their tasks, and when that is over."""
        waiting = [(key, rule) for key, _ in self._lines.in_turn() if (rule := self._book.revision(key[0], key[1]))]
        complaints = self._attendance.complaints(waiting)
        for rule_id in complaints.keys() | self._complaints.keys():
            rule, message = self._book.current(rule_id), complaints.get(rule_id, "")
            if rule is not None and message != self._complaints.get(rule_id, ""):
                await asyncio.to_thread(self._book.report, rule, message)
        self._complaints = complaints

    def _take_back(self, lost: Sequence[Lease]) -> None:
        """Puts the tasks of workers that went away in line again."""
        for worker, tasks in Counter(lease.worker for lease in lost).items():
            logger.warning("score: a worker went away worker=%s tasks=%d", worker, tasks)
        for lease in lost:
            self._release(lease.task.id, lease.worker)
            # It counts as a try: a row that takes its worker down must not take down one after another.
            self._lines.add(lease.task.next_attempt(), is_first=True)

    def _release(self, id: str, worker: str) -> None:
        if task := self._leases.end(id, worker):
            self._limits.comes_back(task, worker)

    def _take(self, claim: Claim, max_tasks: int) -> list[Task]:
        taken: list[Task] = []
        for key, line in self._lines.in_turn():
            if len(taken) >= max_tasks:
                break
            rule = self._book.revision(key[0], key[1])
            if rule is None:
                for task in self._lines.drop(key):
                    self._known.let_go(task.id)
                continue
            found = self._sound(rule, self._next_of(rule, key, line, claim, max_tasks - len(taken)))
            taken += [task for task in found if claim.project in ("", task.project)]
            for task in found:
                if claim.project not in ("", task.project):
                    line.add(task)
            if found:
                self._lines.served(key)
        for task in taken:
            self._leases.give(task, claim.worker)
            self._limits.goes(task, claim.worker)
        return taken

    def _sound(self, rule: Rule, tasks: Sequence[Task]) -> list[Task]:
        """The tasks without those whose workers went away every time; these have failed."""
        lost = [task for task in tasks if (scorer := rule.scorer(task.scorer)) and task.attempt > scorer.max_attempts]
        if lost:
            reason = "every worker that had it went away"
            self._in_background(self._end([Outcome(task, FAILED, error=reason) for task in lost]))
        return [task for task in tasks if task not in lost]

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def _next_of(self, rule: Rule, key: Key, line: Line, claim: Claim, most: int) -> list[Task]:
        """The tasks of a line that may go to this worker now; of a rule that was stopped only those of backfills."""
        current, scorer = self._book.current(rule.rule_id), rule.scorer(key[2])
        if scorer is None or current is None or (scorer.module and scorer.module not in claim.modules):
            return []
        most = min(most, len(line) if current.enabled else line.backfilled)
        allowed = self._limits.allowed(key, current, scorer, worker=claim.worker, most=most)
        if self._limits.is_held_back_too_long(current, allowed) and len(line):
            late = [line.take() for _ in range(len(line))]
            self._in_background(self._end([skipped(task, "over the rule's budget") for task in late]))
        return [line.take(only_backfill=not current.enabled) for _ in range(allowed)]

    async def _with_rows(self, tasks: Sequence[Task], claim: Claim) -> list[HandedOut]:
        """The tasks with what there is to score; those whose row is gone are skipped."""
        started = time.monotonic()
        try:
            rows = await asyncio.to_thread(self._rows.read, tasks)
            await self._pace.rest(time.monotonic() - started)
        except BaseException:
            for task in tasks:
                self._release(task.id, claim.worker)
                self._lines.add(task, is_first=True)
            raise
        if rows:
            self._row_bytes = (self._row_bytes + sum(len(row.text) for row in rows.values()) / len(rows)) / 2
        handed_out, gone, size = list[HandedOut](), list[Task](), 0
        for task in tasks:
            if size > MAX_CLAIM_BYTES:
                self._release(task.id, claim.worker)
                self._lines.add(task, is_first=True)
                continue
            row, rule = rows.get(task.id), self._book.revision(task.rule_id, task.revision)
            scorer = rule.scorer(task.scorer) if rule is not None else None
            if row is None or scorer is None:
                gone.append(task)
                continue
            task = replace(task, subject=row.subject)
            self._leases.keep(task)
            handed_out.append(HandedOut(task, scorer, row))
            size += len(row.text)
        if gone:
            await self._end([skipped(task, "the row is gone") for task in gone])
            for task in gone:
                self._release(task.id, claim.worker)
        return handed_out

    async def _end(self, outcomes: Sequence[Outcome]) -> None:
        """Stores what became of tasks that no worker is asked about."""
        await self._results.store(outcomes)
        for outcome in outcomes:
            self._known.finish(outcome.task.id)

    def _retry(self, outcome: Outcome) -> bool:
        """Whether the task is in line again instead of being done."""
        task = outcome.task
        if outcome.status == RETURNED:
            self._lines.add(task, is_first=True)
            return True
        rule = self._book.revision(task.rule_id, task.revision)
        scorer = rule.scorer(task.scorer) if rule is not None else None
        if outcome.status != FAILED or not outcome.is_retryable or scorer is None:
            return False
        if task.attempt >= scorer.max_attempts:
            return False
        pause = min(FIRST_BACKOFF_SECONDS * 2 ** (task.attempt - 1), MAX_BACKOFF_SECONDS)
        pause = max(pause * random.uniform(0.75, 1.25), outcome.retry_after_seconds)
        self._lines.delay(task.next_attempt(cost=outcome.cost), self._now() + pause)
        return True
