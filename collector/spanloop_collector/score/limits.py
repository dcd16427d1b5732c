"""How many tasks of a scorer may be handed out now: what workers have room for, what providers allow, what is paid."""

from __future__ import annotations

import time
from collections.abc import Callable

from spanloop_collector.score.line import Key
from spanloop_collector.score.outcome import Outcome
from spanloop_collector.score.rates import Allowances
from spanloop_collector.score.rule import Rule, RuleScorer
from spanloop_collector.score.spending import Spending
from spanloop_collector.score.task import Task
from spanloop_collector.score.under_way import UnderWay

BUDGET_WAIT_SECONDS = 600.0


class Limits:
    """Counts what is handed out and what it takes."""

    def __init__(self, spending: Spending, *, now: Callable[[], float] = time.monotonic) -> None:
        self._spending = spending
        self._now = now
        self._under_way = UnderWay()
        self._allowances = Allowances(now=now)
        self._held_back: dict[str, float] = {}

    def allowed(self, key: Key, rule: Rule, scorer: RuleScorer, *, worker: str, most: int) -> int:
        """How many more of a line's tasks the worker may have; the budget is that of the rule as it is now."""
        # A task that went ahead would be paid for even when those before it have used up the budget.
        room = self._under_way.room(
            key, worker, concurrency=scorer.concurrency, may_go_ahead=not rule.budget.cost_per_day
        )
        most = min(most, room)
        most = self._allowances.available(_name(key[0], key[2]), scorer.calls_per_minute, most=most)
        return max(self._within_budget(key[0], rule, most), 0)

    def is_held_back_too_long(self, rule: Rule, allowed: int) -> bool:
        """Whether tasks waited for the budget so long that they never will be served: their line only grows."""
        has_budget = rule.budget.cost_per_day or rule.budget.scores_per_minute
        if allowed > 0 or not has_budget:
            self._held_back.pop(rule.rule_id, None)
            return False
        since = self._held_back.setdefault(rule.rule_id, self._now())
        if self._now() - since <= BUDGET_WAIT_SECONDS:
            return False
        del self._held_back[rule.rule_id]
        return True

    def goes(self, task: Task, worker: str) -> None:
        """The worker has the task."""
        self._under_way.add(task.queue_key, worker)
        self._allowances.take(_name(task.rule_id, task.scorer), 1)
        self._allowances.take(task.rule_id, 1)

    def comes_back(self, task: Task, worker: str) -> None:
        """The worker has it no more."""
        self._under_way.remove(task.queue_key, worker)

    def learn(self, outcome: Outcome) -> None:
        """How long a call took, and how long its provider asks to wait."""
        self._under_way.took(outcome.task.queue_key, outcome.duration_seconds)
        if outcome.retry_after_seconds:
            self._allowances.pause(_name(outcome.task.rule_id, outcome.task.scorer), outcome.retry_after_seconds)

    def pay(self, outcome: Outcome) -> None:
        """Counts what a call has cost."""
        self._spending.add(outcome.task.rule_id, outcome.cost)

    def _within_budget(self, rule_id: str, rule: Rule, most: int) -> int:
        if rule.budget.cost_per_day and self._spending.today(rule_id) >= rule.budget.cost_per_day:
            return 0
        return self._allowances.available(rule_id, rule.budget.scores_per_minute, most=most)


def _name(rule_id: str, scorer: str) -> str:
    return f"{rule_id}/{scorer}"
