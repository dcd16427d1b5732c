"""Who gets which task, and what happens to those that fail or get lost."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from spanloop_collector.score.attendance import PATIENCE_SECONDS
from spanloop_collector.score.dispatcher import Claim, Dispatcher, HandedOut
from spanloop_collector.score.leases import LEASE_SECONDS
from spanloop_collector.score.outcome import FAILED, SCORED, OneScore, Outcome
from spanloop_collector.score.pace import Pace
from spanloop_collector.score.rule import Budget, Rule, RuleScorer
from spanloop_collector.score.scored_rows import ScoredRow
from spanloop_collector.score.slots import EverySlot
from spanloop_collector.score.task import Subject, Task

WORKER = Claim("w1", frozenset())


@dataclass
class Bench:
    """A dispatcher whose queue, rules, rows, results and clock are lists and numbers of the test."""

    rule: Rule
    queued: list[Task] = field(default_factory=list)
    stored: list[Outcome] = field(default_factory=list)
    now: float = 1000.0
    spent: float = 0.0
    is_at_end: bool = True
    held: int = 0
    failure: str = ""
    until: asyncio.Event | None = None
    """Nothing is stored before."""

    def __post_init__(self) -> None:
        anything: Any = self
        rows: Any = _Rows()
        idle: Any = _Idle()
        self.dispatcher = Dispatcher(
            anything,
            anything,
            rows,
            anything,
            idle=idle,
            spending=anything,
            slots=EverySlot(),
            pace=Pace(lambda: math.inf),
            now=lambda: self.now,
        )

    # What the dispatcher asks of the rule book, the queue, the results and the spending.
    def current(self, rule_id: str) -> Rule:
        return self.rule

    def revision(self, rule_id: str, revision: int) -> Rule:
        return self.rule

    def active(self) -> list[Rule]:
        return [self.rule]

    def report(self, rule: Rule, message: str) -> None:
        self.failure = message

    def read(self, slots: Iterable[int], *, is_known: Any, limit: int) -> list[Task]:
        found = [task for task in self.queued if not is_known(task.id)]
        self.queued = []
        return found

    async def store(self, outcomes: Sequence[Outcome]) -> None:
        if self.until is not None:
            await self.until.wait()
        self.stored += outcomes

    def today(self, rule_id: str) -> float:
        return self.spent

    def add(self, rule_id: str, cost: float) -> None:
        self.spent += cost

    async def claim(self, claim: Claim = WORKER, most: int = 100) -> list[HandedOut]:
        await self.dispatcher.refill()
        return await self.dispatcher.claim(claim, max_tasks=most, wait_seconds=0)


class _Rows:
    def read(self, tasks: Sequence[Task]) -> dict[str, ScoredRow]:
        subject = Subject("t", "s", "s", "chat", 1, 2)
        return {task.id: ScoredRow(subject, "{}") for task in tasks}


class _Idle:
    held = 0

    def due(self) -> list[Task]:
        return []

    def keep(self, is_ours: Any) -> list[Task]:
        return []


def rule(*scorers: RuleScorer, **fields: Any) -> Rule:
    return Rule("p", "r", scorers or (RuleScorer("m:f", "f", concurrency=2, max_attempts=3),), **fields)


def tasks(count: int, scorer: str = "f") -> list[Task]:
    return [Task(f"{scorer}{n}", "p", "rule", 1, scorer, "t", f"s{n}", "", 1, 2, 1.0, "", "") for n in range(count)]


HAS_M = Claim("w1", frozenset({"m"}))


def done(handed_out: HandedOut, status: str = SCORED, **fields: Any) -> Outcome:
    return Outcome(handed_out.task, status, [OneScore("f", 1.0)] if status == SCORED else (), **fields)


async def test_a_scorer_has_no_more_under_way_than_its_concurrency() -> None:
    bench = Bench(rule(), tasks(5))

    first = await bench.claim(HAS_M)
    assert [each.task.id for each in first] == ["f0", "f1"]
    assert await bench.claim(HAS_M) == []
    await bench.dispatcher.complete("w1", [done(first[0])])

    assert [each.task.id for each in await bench.claim(HAS_M)] == ["f2"]


async def test_a_quick_scorer_has_some_ahead_with_one_worker_at_a_time() -> None:
    bench = Bench(rule(RuleScorer("m:f", "f", concurrency=2)), tasks(1000))
    other = Claim("w2", HAS_M.modules)
    first, second = await bench.claim(HAS_M)
    await bench.dispatcher.complete("w1", [done(first, duration_seconds=0.01), done(second, duration_seconds=0.01)])

    ahead = await bench.claim(HAS_M, most=1000)
    assert len(ahead) == 2 * 100
    assert await bench.claim(other) == []
    # As it takes longer, nobody has more than are scored at once.
    await bench.dispatcher.complete("w1", [done(each, duration_seconds=2.0) for each in ahead])
    assert len(await bench.claim(HAS_M, most=1)) == len(await bench.claim(other)) == 1
    assert await bench.claim(HAS_M) == []


async def test_a_slow_scorer_holds_up_no_other() -> None:
    slow, quick = RuleScorer("m:slow", "slow", concurrency=1), RuleScorer("is_json", "quick", concurrency=3)
    bench = Bench(rule(slow, quick), tasks(100, "slow") + tasks(3, "quick"))

    found = await bench.claim(HAS_M)

    assert sorted(each.task.scorer for each in found) == ["quick", "quick", "quick", "slow"]


async def test_tasks_go_only_where_their_module_is() -> None:
    bench = Bench(rule(), tasks(1))
    assert await bench.claim(Claim("w1", frozenset({"other"}))) == []
    assert len(await bench.claim(HAS_M)) == 1


async def test_backfills_go_on_beside_what_waits_for_a_stopped_rule() -> None:
    bench = Bench(rule(enabled=False), [*tasks(2), replace(tasks(1)[0], id="old", backfill="b1")])

    assert [each.task.id for each in await bench.claim(HAS_M)] == ["old"]
    bench.rule = replace(bench.rule, enabled=True)
    assert [each.task.id for each in await bench.claim(HAS_M)] == ["f0"]


async def test_a_rule_says_it_when_no_worker_takes_its_tasks() -> None:
    bench = Bench(rule(), tasks(1))
    assert await bench.claim(Claim("w1", frozenset({"other"}))) == []
    bench.now += PATIENCE_SECONDS - 1
    await bench.claim(Claim("w1", frozenset({"other"})))
    assert bench.failure == ""
    bench.now += 2
    await bench.claim(Claim("w1", frozenset({"other"})))
    assert bench.failure == (
        "nothing is scored: no worker has 'm', which 'f' needs; name it with `spanloop score --module`"
    )
    bench.now += PATIENCE_SECONDS + 1
    await bench.dispatcher.refill()
    assert bench.failure.startswith("nothing is scored: no worker asks for tasks; start `spanloop score`")

    assert await bench.claim(HAS_M)
    await bench.dispatcher.refill()
    assert bench.failure == ""


async def test_tasks_of_a_worker_that_went_away_are_taken_over_until_they_count_as_lost() -> None:
    bench = Bench(rule(), tasks(1))
    for attempt in (1, 2, 3):
        (found,) = await bench.claim(Claim(f"w{attempt}", frozenset({"m"})))
        assert found.task.attempt == attempt
        assert await bench.claim(HAS_M) == []
        bench.now += LEASE_SECONDS + 1

    assert await bench.claim(HAS_M) == []
    await asyncio.sleep(0)

    assert [(each.status, each.error) for each in bench.stored] == [(FAILED, "every worker that had it went away")]


async def test_tasks_of_a_worker_that_is_known_to_have_ended_are_taken_over_at_once() -> None:
    bench = Bench(rule(), tasks(2))
    dead = Claim("dead", frozenset({"m"}))
    waits = asyncio.create_task(bench.dispatcher.claim(dead, max_tasks=1, wait_seconds=30))
    await asyncio.sleep(0)
    assert len(await bench.claim(dead)) == 2

    bench.dispatcher.worker_ended("dead")

    # What it has asked for meanwhile would be lost.
    assert await waits == []
    assert [(each.task.id, each.task.attempt) for each in await bench.claim(HAS_M)] == [("f1", 2), ("f0", 2)]


async def test_leases_that_are_extended_last() -> None:
    bench = Bench(rule(), tasks(1))
    (found,) = await bench.claim(HAS_M)
    for _ in range(3):
        bench.now += LEASE_SECONDS - 1
        assert bench.dispatcher.extend("w1", [found.task.id, "unknown"]) == [found.task.id]
        assert await bench.claim(HAS_M) == []


async def test_result_of_a_worker_that_lost_its_task_does_not_count() -> None:
    bench = Bench(rule(), tasks(1))
    (late,) = await bench.claim(Claim("late", frozenset({"m"})))
    bench.now += LEASE_SECONDS + 1
    (taken,) = await bench.claim(HAS_M)

    await bench.dispatcher.complete("late", [done(late)])
    assert bench.stored == []
    await bench.dispatcher.complete("w1", [done(taken)])
    assert len(bench.stored) == 1


async def test_failures_that_may_pass_come_back_later_and_end_with_the_last_try() -> None:
    bench = Bench(rule(), tasks(1))
    for attempt in (1, 2, 3):
        (found,) = await bench.claim(HAS_M)
        assert found.task.attempt == attempt
        await bench.dispatcher.complete("w1", [done(found, FAILED, error="busy", is_retryable=True)])
        if attempt < 3:
            assert await bench.claim(HAS_M) == []
        bench.now += 10

    assert [(each.status, each.task.attempt) for each in bench.stored] == [(FAILED, 3)]


async def test_what_every_try_has_cost_is_counted() -> None:
    bench = Bench(rule(), tasks(1))
    (found,) = await bench.claim(HAS_M)
    await bench.dispatcher.complete("w1", [done(found, FAILED, error="no JSON", is_retryable=True, cost=0.25)])
    bench.now += 10
    (found,) = await bench.claim(HAS_M)
    await bench.dispatcher.complete("w1", [done(found, cost=0.5)])

    assert [each.cost for each in bench.stored] == [0.75]
    assert bench.spent == 0.75


async def test_failures_that_last_are_not_tried_again() -> None:
    bench = Bench(rule(), tasks(1))
    (found,) = await bench.claim(HAS_M)
    await bench.dispatcher.complete("w1", [done(found, FAILED, error="KeyError", is_retryable=False)])
    assert [each.status for each in bench.stored] == [FAILED]


async def test_a_provider_that_asks_to_wait_stops_its_scorer_only() -> None:
    asked, other = RuleScorer("m:f", "f", concurrency=5), RuleScorer("m:g", "g", concurrency=5)
    bench = Bench(rule(asked, other), tasks(1, "f"))
    (found,) = await bench.claim(HAS_M)
    await bench.dispatcher.complete("w1", [done(found, FAILED, error="429", is_retryable=True, retry_after_seconds=20)])
    bench.queued = [replace(tasks(2, "f")[1], id="f9"), *tasks(1, "g")]
    bench.dispatcher.nudge()

    assert [each.task.scorer for each in await bench.claim(HAS_M)] == ["g"]
    bench.now += 21
    assert sorted(each.task.id for each in await bench.claim(HAS_M)) == ["f0", "f9"]


async def test_rates_and_budgets_hold_tasks_back() -> None:
    bench = Bench(rule(RuleScorer("m:f", "f", concurrency=100, calls_per_minute=60)), tasks(50))
    assert len(await bench.claim(HAS_M)) == 6
    bench.now += 2
    assert len(await bench.claim(HAS_M)) == 2

    bench = Bench(rule(RuleScorer("m:f", "f", concurrency=100), budget=Budget(cost_per_day=1.0)), tasks(50))
    (first, *_) = await bench.claim(HAS_M, most=1)
    await bench.dispatcher.complete("w1", [done(first, cost=1.5)])
    assert await bench.claim(HAS_M) == []
    bench.now += 601
    assert await bench.claim(HAS_M) == []
    await asyncio.sleep(0)
    assert {each.scores[0].reason for each in bench.stored[1:]} == {"over the rule's budget"}
    assert len(bench.stored) == 50


async def test_no_task_goes_ahead_where_what_a_day_may_cost_is_limited() -> None:
    bench = Bench(rule(RuleScorer("m:f", "f", concurrency=1), budget=Budget(cost_per_day=0.2)), tasks(50))
    (first,) = await bench.claim(HAS_M)
    stored = asyncio.Event()
    bench.until = stored
    completed = asyncio.create_task(bench.dispatcher.complete("w1", [done(first, duration_seconds=0.01, cost=0.21)]))
    await asyncio.sleep(0)

    # It is known how quick the scorer is, and not yet stored what it cost.
    assert await bench.claim(HAS_M) == []
    stored.set()
    await completed
    assert await bench.claim(HAS_M) == []


async def test_a_task_that_comes_again_is_the_same() -> None:
    bench = Bench(rule(), tasks(1))
    (found,) = await bench.claim(HAS_M)
    bench.queued = tasks(1)
    assert await bench.claim(HAS_M) == []
    await bench.dispatcher.complete("w1", [done(found)])
    bench.queued = tasks(1)
    assert await bench.claim(HAS_M) == []
