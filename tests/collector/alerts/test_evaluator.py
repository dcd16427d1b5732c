"""Alerts evaluated against real rows, by one collector and by several."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from spanloop_collector.alerts.evaluator import CLAIM_RUNS_OUT_SECONDS, CLAIMED, Evaluation, Evaluator, slot_version
from spanloop_collector.alerts.rule import AlertRule
from spanloop_collector.alerts.rules import AlertRules
from spanloop_collector.query.queries import Queries
from spanloop_collector.settings import QuerySettings, StoreSettings
from spanloop_collector.store import Store
from spanloop_collector.store.changes import Actor, Change, ChangeLog
from spanloop_collector.webhooks.outbox import ALERT, Outbox
from spanloop_collector.webhooks.sender import WebhookSender

from tests.support.ports import free_port
from tests.support.waiting import wait_until

ANNA = Actor("anna")
SQL = """
SELECT model, countIf(error != '') / count() AS error_rate FROM logs
WHERE created BETWEEN {window_start:DateTime64(3)} AND {window_end:DateTime64(3)}
GROUP BY model
"""


@dataclass
class Clock:
    # On a whole minute, so that a step is a slot; not long ago: what is too old is dropped from the table.
    now: float = field(default_factory=lambda: time.time() // 60 * 60)

    def __call__(self) -> float:
        return self.now


@dataclass
class Watch:
    """A collector's part that watches alerts."""

    store: Store
    clock: Clock
    queries: Queries

    @property
    def rules(self) -> AlertRules:
        return AlertRules(self.store)

    def evaluator(self) -> Evaluator:
        sender = WebhookSender(allow_private_addresses=True, timeout_seconds=1)
        return Evaluator(self.store, self.rules, self.queries, Outbox(self.store, sender, ALERT), now=self.clock)

    async def step(self, seconds: float = 60) -> None:
        """The next evaluation of everything that is due."""
        self.clock.now += seconds
        await asyncio.gather(*await self.evaluator().start_due())

    def save(self, rule: AlertRule) -> None:
        self.rules.save(rule, url="http://127.0.0.1:9/", secret="", actor=ANNA)

    def add_calls(self, model: str, *errors: str, project: str = "shop") -> None:
        """One production call for each error, now; '' for none."""
        rows = [
            (
                project,
                datetime.fromtimestamp(self.clock.now, UTC),
                "trace",
                f"{model}{number}{self.clock.now}",
                model,
                error,
            )
            for number, error in enumerate(errors)
        ]
        self.store.insert_rows("spans", rows, ["project", "created", "trace_id", "span_id", "model", "error"])

    def messages(self) -> list[tuple[str, str]]:
        """Event and labels of every message, in no order."""
        sql = f"SELECT event, about FROM {self.store.database}.webhook_deliveries ORDER BY updated, event"
        return [(row[0], row[1]) for row in self.store.query(sql).result_rows]

    def status(self) -> list[tuple[str, str]]:
        sql = f"SELECT status, error FROM {self.store.database}.alerts ORDER BY name"
        return [(row[0], row[1]) for row in self.store.query(sql).result_rows]


@pytest.fixture
async def watch(store: Store) -> AsyncIterator[Watch]:
    queries = Queries(store, QuerySettings())
    yield Watch(store, Clock(), queries)
    await queries.close()


def make_rule(**changes: object) -> AlertRule:
    values = {"sql": SQL, "comparison": ">", "threshold": 0.1, "every_seconds": 60.0, "window_seconds": 60.0}
    return AlertRule("shop", "errors", **{**values, **changes})  # type: ignore[arg-type]  # as the caller says


async def test_from_rows_to_messages_and_back_to_calm(watch: Watch) -> None:
    watch.save(make_rule())
    assert watch.status() == [("waiting", "")]
    watch.add_calls("small", "", "", "boom")
    watch.add_calls("large", "", "")
    watch.add_calls("other project", "boom", project="garden")
    await watch.step(30)
    assert watch.messages() == [("firing", '{"model": "small"}')]
    assert watch.status() == [("firing", "")]
    await watch.step(1)
    assert watch.status() == [("firing", "")]
    await watch.step(120)
    assert sorted(watch.messages()) == [("firing", '{"model": "small"}'), ("recovered", '{"model": "small"}')]
    assert watch.status() == [("ok", "")]


async def test_of_several_collectors_one_evaluates(watch: Watch) -> None:
    watch.save(make_rule())
    watch.add_calls("small", "boom")
    watch.clock.now += 30
    evaluators = [watch.evaluator() for _ in range(4)]
    # All of them have looked before the first one begins.
    [(rule, latest)] = evaluators[0].due()
    await asyncio.gather(*(evaluator.evaluate(rule, latest) for evaluator in evaluators))
    assert watch.messages() == [("firing", '{"model": "small"}')]
    sql = f"SELECT count(), uniqExact(actor) FROM {watch.store.database}.webhook_events WHERE kind = 'evaluation'"
    [(versions, collectors)] = watch.store.query(sql).result_rows
    assert (versions <= 2, collectors) == (True, 1)
    assert [await evaluator.start_due() for evaluator in evaluators] == [[]] * 4


async def test_an_evaluation_whose_collector_died_is_made_by_another(watch: Watch) -> None:
    watch.save(make_rule(window_seconds=3600.0))
    watch.add_calls("small", "boom")
    rule = watch.rules.find("shop", "errors")
    claim = Evaluation(status=CLAIMED, claimed=watch.clock.now)
    changes = ChangeLog(watch.store, "evaluation", table="webhook_events")
    version = slot_version(rule, watch.clock.now)
    assert changes.append(Change("shop", rule.uid, version, CLAIMED, Actor("dead"), asdict(claim)))
    await watch.step(CLAIM_RUNS_OUT_SECONDS)
    assert watch.messages() == []
    await watch.step(1)
    assert watch.messages() == [("firing", '{"model": "small"}')]


async def test_a_statement_that_fails_later_is_shown_and_says_nothing(watch: Watch) -> None:
    watch.save(make_rule(sql="SELECT throwIf(count() > 0, 'broken') FROM logs", comparison="", threshold=0.0))
    watch.add_calls("small", "")
    await watch.step()
    [(status, error)] = watch.status()
    assert status == "failed"
    assert "broken" in error
    assert watch.messages() == []


async def test_a_changed_rhythm_and_a_new_alert_of_the_same_name(watch: Watch) -> None:
    watch.save(make_rule())
    watch.add_calls("small", "boom")
    await watch.step(30)
    watch.save(make_rule(every_seconds=1.0, window_seconds=3600.0))
    await watch.step(61)
    assert watch.status() == [("firing", "")]
    watch.rules.delete("shop", "errors", ANNA)
    assert watch.status() == []
    await watch.step()
    watch.save(make_rule(every_seconds=3600.0, window_seconds=3600.0))
    assert watch.status() == [("waiting", "")]
    await watch.step()
    # The new one knows nothing of the old one's hold-off.
    assert [event for event, _ in watch.messages()] == ["firing", "firing"]


async def test_a_paused_alert_rests(watch: Watch) -> None:
    watch.save(make_rule(is_paused=True))
    watch.add_calls("small", "boom")
    await watch.step()
    assert (watch.status(), watch.messages()) == ([("paused", "")], [])


async def test_it_looks_rarely_while_clickhouse_is_away(tmp_path: Path) -> None:
    away = Store(StoreSettings(clickhouse_url=f"http://127.0.0.1:{free_port()}"), tmp_path)
    watch = Watch(away, Clock(), Queries(away, QuerySettings()))
    tries: list[float] = []
    evaluator = watch.evaluator()
    evaluator.rules = LookedAt(away, tries)
    watching = asyncio.create_task(evaluator.run())
    await asyncio.to_thread(wait_until, lambda: tries, what="a first look")
    await asyncio.sleep(0.7)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    assert len(tries) == 1


class LookedAt(AlertRules):
    """Rules that note when somebody asks for them."""

    def __init__(self, store: Store, tries: list[float]) -> None:
        super().__init__(store)
        self._tries = tries

    def all(self, project: str = "*") -> Sequence[AlertRule]:
        self._tries.append(time.time())
        return super().all(project)
