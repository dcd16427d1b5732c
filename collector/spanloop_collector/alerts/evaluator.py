"""Asks every alert's statement in its rhythm. However many collectors there are, one of them asks each time.

Time is cut into slots of the alert's length. The collector that inserts a slot's claim first evaluates it.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from clickhouse_connect.driver.exceptions import Error

from spanloop_collector.alerts.ask import ask
from spanloop_collector.alerts.decide import Announcement, Seen, decide
from spanloop_collector.alerts.message import body_of
from spanloop_collector.alerts.rule import AlertRule
from spanloop_collector.alerts.rules import AlertRules, owner_of
from spanloop_collector.errors import SpanloopError, StoreUnavailableError
from spanloop_collector.query.queries import Queries
from spanloop_collector.store.bells import LOOK_AGAIN_SECONDS
from spanloop_collector.store.changes import Actor, Change, ChangeLog, Latest
from spanloop_collector.store.rounds import keep_doing
from spanloop_collector.store.store import Store
from spanloop_collector.webhooks.outbox import ALERT, Message, Outbox, json_body

MAX_AT_ONCE = 4
LOOK_EVERY_SECONDS = 1.0
"""While evaluations are under way: the next ones may wait for their end."""
CLAIM_RUNS_OUT_SECONDS = 60.0
"""An evaluation that has not ended after so long was begun by a collector that is gone."""

CLAIMED, EVALUATED = "claimed", "evaluated"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What is remembered of an alert from one evaluation to the next, under the alert's `uid`."""

    status: str = EVALUATED
    claimed: float = 0.0
    """When the slot was taken, Unix seconds."""
    evaluated: float = 0.0
    """When the last answer came, Unix seconds."""
    error: str = ""
    """Why there was none the last time."""
    groups: tuple[Seen, ...] = ()
    keys: tuple[str, ...] = ()
    """Of the groups, in their order."""
    number: int = 0
    """Counts finished evaluations: two tries of one lead to the same messages."""

    @property
    def by_key(self) -> dict[str, Seen]:
        """The groups by key."""
        return dict(zip(self.keys, self.groups, strict=True))


@dataclass(slots=True)
class Evaluator:
    """Evaluates alerts until cancelled."""

    store: Store
    rules: AlertRules
    statements: Queries
    outbox: Outbox
    now: Callable[[], float] = time.time
    collector: str = field(default_factory=lambda: uuid.uuid4().hex[:8])
    _next_slot: float = 0.0
    _under_way: dict[tuple[str, str], asyncio.Task[None]] = field(default_factory=dict)

    async def run(self) -> None:
        """Looks again and again for alerts whose time has come."""
        try:
            with self.store.bells.listen("changes") as bell:
                await keep_doing("alerts", self._round, bell)
        finally:
            await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    async def _round(self) -> float:
        await self.start_due()
        if self._under_way:
            return LOOK_EVERY_SECONDS
        return max(self._next_slot - self.now(), 0.0)

    async def start_due(self) -> list[asyncio.Task[None]]:
        """Begins the evaluations that are due and that no other collector has taken; returns them."""
        started = []
        for rule, latest in await asyncio.to_thread(self.due):
            key = (rule.project, rule.name)
            if key in self._under_way or len(self._under_way) >= MAX_AT_ONCE:
                continue
            task = asyncio.create_task(self._evaluate_quietly(rule, latest))
            self._under_way[key] = task
            task.add_done_callback(lambda _, key=key: self._under_way.pop(key, None))  # type: ignore[misc]  # default
            started.append(task)
        return started

    def due(self) -> list[tuple[AlertRule, Latest | None]]:
        """The alerts whose time has come, each with the outcome of its last evaluation. Blocks."""
        rules = [rule for rule in self.rules.all() if not rule.is_paused]
        now = self.now()
        self._next_slot = min((next_slot(rule, now) for rule in rules), default=now + LOOK_AGAIN_SECONDS)
        if not rules:
            return []
        seen = {(latest.project, latest.id): latest for latest in self._log.latest()}
        pairs = [(rule, seen.get((rule.project, rule.uid))) for rule in rules]
        return [(rule, latest) for rule, latest in pairs if self._is_due(rule, latest)]

    def _is_due(self, rule: AlertRule, latest: Latest | None) -> bool:
        if latest is None:
            return True
        last = read_evaluation(latest.state)
        is_free = last.status == EVALUATED or self.now() - last.claimed > CLAIM_RUNS_OUT_SECONDS
        return is_free and slot_version(rule, self.now()) > latest.version

    async def _evaluate_quietly(self, rule: AlertRule, latest: Latest | None) -> None:
        try:
            await self.evaluate(rule, latest)
        except (Error, StoreUnavailableError) as error:
            logger.warning("alerts: not evaluated alert=%s reason=%s", rule.name, error)
        except Exception:
            # A fault of ours with one alert is no reason to stop watching the others.
            logger.exception("alerts: unexpected error alert=%s", rule.name)

    async def evaluate(self, rule: AlertRule, latest: Latest | None) -> None:
        """Evaluates an alert, unless another collector has taken the same slot."""
        now = self.now()
        version = slot_version(rule, now)
        last = read_evaluation(latest.state) if latest else Evaluation()
        claim = replace(last, status=CLAIMED, claimed=now)
        if not await asyncio.to_thread(self._keep, rule, version, claim):
            return
        try:
            groups = await ask(self.statements, rule, now=now)
        except StoreUnavailableError:
            raise
        except SpanloopError as error:
            logger.warning("alerts: cannot be evaluated alert=%s reason=%s", rule.name, error)
            failed = replace(last, status=EVALUATED, evaluated=now, error=str(error))
            await asyncio.to_thread(self._keep, rule, version + 1, failed)
            return
        after, announcements = decide(rule, last.by_key, groups, now=now)
        for announcement in announcements:
            await asyncio.to_thread(self._announce, rule, last.number, announcement, now)
        done = Evaluation(
            evaluated=now,
            groups=tuple(after.values()),
            keys=tuple(after),
            number=last.number + 1,
        )
        await asyncio.to_thread(self._keep, rule, version + 1, done)
        if announcements:
            self.outbox.wake()

    def _announce(self, rule: AlertRule, number: int, announcement: Announcement, now: float) -> None:
        message = Message(
            topic=ALERT,
            name=rule.name,
            event=announcement.event,
            owner=owner_of(rule),
            target=rule.target,
            about=json_body(announcement.seen.labels) if announcement.seen.labels else "",
            body=body_of(rule, announcement, now=now),
        )
        self.outbox.add(rule.project, message_id(rule, number, announcement), message)

    def _keep(self, rule: AlertRule, version: int, evaluation: Evaluation) -> bool:
        state = asdict(evaluation)
        return self._log.append(
            Change(rule.project, rule.uid, version, evaluation.status, Actor(self.collector), state)
        )

    @property
    def _log(self) -> ChangeLog:
        return ChangeLog(self.store, "evaluation", table="webhook_events", now=self.now)


def slot_version(rule: AlertRule, now: float) -> int:
    """The version of a slot's claim; its outcome has the next one. Grows also when the alert's rhythm changes."""
    return int(now // rule.every_seconds * rule.every_seconds * 1000) * 2


def next_slot(rule: AlertRule, now: float) -> float:
    """When the slot after this one begins, in Unix seconds."""
    return (now // rule.every_seconds + 1) * rule.every_seconds


def message_id(rule: AlertRule, number: int, announcement: Announcement) -> str:
    """The same for every try to make this announcement: a collector that died half-way sends nothing twice."""
    parts = (rule.uid, str(number), announcement.event, announcement.key)
    return f"msg_{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:28]}"


def read_evaluation(state: Mapping[str, Any]) -> Evaluation:
    """The evaluation behind a state."""
    groups = tuple(Seen(**seen) for seen in state.get("groups", ()))
    return Evaluation(**{**state, "groups": groups, "keys": tuple(state.get("keys", ()))})
