"""How far a backfill is: every task counts once, and what is done is not looked at again."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace

import pytest
from spanloop.v1 import rules_pb2
from spanloop_collector.schema.cluster import on_cluster, stored
from spanloop_collector.score.backfill import Backfills
from spanloop_collector.score.backfill.progress import Progress, progress_of, settle
from spanloop_collector.score.backfill.state import Backfill, BackfillState, Settled, read_backfill
from spanloop_collector.score.rule import TRACE, Rule, RuleScope, RuleScorer
from spanloop_collector.score.rulebook import RuleBook
from spanloop_collector.store import Store
from spanloop_collector.store.changes import Actor, Latest

pytestmark = pytest.mark.also_on_cluster

CHUNK_US = 1_000_000
# Not long ago: what is too old is dropped from the tables.
FIRST_US = int(time.time() - 60) * 1_000_000
TASKS = 5


def queue(store: Store, chunk: int, *, backfill: str = "b") -> None:
    """A chunk of tasks, queued a second after the one before."""
    store.command(
        f"INSERT INTO {store.database}.scoring_queue (queued, task_id, backfill) "
        f"SELECT fromUnixTimestamp64Micro({FIRST_US + chunk * CHUNK_US}, 'UTC'), concat('{backfill}{chunk}-', "
        f"toString(number)), '{backfill}' FROM numbers({TASKS})"
    )


def finish(store: Store, chunk: int, tasks: Iterable[int]) -> None:
    for task in tasks:
        store.command(
            f"INSERT INTO {store.database}.online_scores (span_id, task_id, scored) "
            f"VALUES ('{chunk}-{task}', 'b{chunk}-{task}', now64(6))"
        )


def test_chunks_are_settled_in_their_order_once_all_their_tasks_are_done(store: Store) -> None:
    backfill = Backfill("p", "b", 1, BackfillState("r", 1, 0, 1, "", all=False, again=False, failed=False))
    other = replace(backfill, id="c")
    for chunk in range(3):
        queue(store, chunk)
    queue(store, 1, backfill="c")
    finish(store, 0, range(TASKS))
    finish(store, 1, [0])
    finish(store, 2, range(TASKS))
    expected = {"b": Progress(0, 3 * TASKS, 2 * TASKS + 1), "c": Progress(0, TASKS, 0)}
    assert progress_of(store, [backfill, other]) == expected

    settled = settle(store, backfill)

    assert settled == Settled(FIRST_US, TASKS)
    backfill = replace(backfill, state=replace(backfill.state, settled=settled))
    assert progress_of(store, [backfill, other]) == expected
    finish(store, 1, range(1, TASKS))
    settled = settle(store, backfill)
    assert settled == Settled(FIRST_US + 2 * CHUNK_US, 3 * TASKS)
    backfill = replace(backfill, state=replace(backfill.state, settled=settled))
    assert settle(store, backfill) == settled
    # Nothing of it is read any more.
    table = stored("scoring_queue", store.cluster)
    store.command(f"TRUNCATE TABLE {store.database}.{table} {on_cluster(store.cluster)}")
    assert progress_of(store, [backfill]) == {"b": Progress(0, 3 * TASKS, 3 * TASKS)}


class EmptyQueue:
    """What hands tasks out, with room for all."""

    held = 0
    is_caught_up = True

    def nudge(self) -> None:
        """Nobody waits."""


def test_a_trace_that_lies_in_several_chunks_is_one_task(store: Store) -> None:
    # Three traces of four spans each, in turn.
    store.command(
        f"INSERT INTO {store.database}.spans (project, trace_id, span_id, id, created, end_time) "
        "SELECT 'p', concat('t', toString(number % 3)), toString(number), toString(number), "
        f"fromUnixTimestamp64Micro({FIRST_US} + number, 'UTC') AS time, time FROM numbers(12)"
    )
    book, actor = RuleBook(store), Actor("test")
    rule = Rule("p", "r", (RuleScorer("is_json", "is_json"),), scope=RuleScope(TRACE))
    stored_rule = book.put(rule, actor=actor).rule
    backfills = Backfills(store, book, EmptyQueue(), chunk_rows=5)
    request = rules_pb2.StartBackfillRequest(name="r", project="p")
    backfills.start(stored_rule, request, condition="", since=0, until=time.time_ns(), actor=actor)

    while backfills.step():
        pass

    (found,) = backfills.all("p")
    assert (found.state, found.matched, found.queued, found.done) == ("queued", 3, 3, 0)


def test_a_backfill_of_before_is_counted_from_its_start() -> None:
    state = {"rule": "r", "revision": 1, "since_ns": 0, "until_ns": 1, "condition": "", "cursor": ["p", 1, "t", "s"]}
    kept = read_backfill(Latest("p", "b", 3, state | {"all": False, "again": False, "failed": False}))
    assert (kept.state.settled, kept.state.cursor) == (Settled(), ("p", 1, "t", "s"))
