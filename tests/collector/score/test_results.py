"""Scores on their rows: many in one statement, one that is refused beside others, and rows that come again."""

from __future__ import annotations

import math
from typing import Any

from spanloop_collector.score.outcome import FAILED, SCORED, OneScore, Outcome
from spanloop_collector.score.pace import Pace
from spanloop_collector.score.results import MAX_BATCH, Results
from spanloop_collector.score.rulebook import RuleBook
from spanloop_collector.score.task import Subject, Task
from spanloop_collector.spool.record import delimited
from spanloop_collector.store import Store

from tests.collector.schema.spans import END, START, request, span

MANY = MAX_BATCH + 500


def results_of(store: Store) -> Results:
    return Results(store, RuleBook(store), pace=Pace(lambda: math.inf))


def ids(number: int) -> dict[str, bytes]:
    return {"trace_id": (number // 10 + 1).to_bytes(16, "big"), "span_id": (number + 1).to_bytes(8, "big")}


def insert(store: Store, count: int, *, token: str, received: int = START) -> None:
    """So many rows, each with its number as its name."""
    spans = [span({"spanloop.scores": '{"own": 0.5}'}, name=str(n), **ids(n)) for n in range(count)]
    store.insert_otlp("traces", delimited(request(*spans, received=received)), token=token)


def outcome(number: int, score: float = 1.0, *, reason: str = "") -> Outcome:
    trace_id, span_id = (value.hex() for value in ids(number).values())
    subject = Subject(trace_id, span_id, span_id, str(number), START, END)
    task = Task(
        f"task{number}", "p", "rule", 1, "given", trace_id, span_id, "", START, END, 1.0, "", "", subject=subject
    )
    return Outcome(task, SCORED, [OneScore("given", score, reason)])


def rows(store: Store, columns: str, where: str = "type != 'score'", *, view: str = "logs") -> list[tuple[Any, ...]]:
    found = store.query(f"SELECT {columns} FROM {store.database}.{view} WHERE {where} ORDER BY 1").result_rows
    return [tuple(row) for row in found]


def test_one_statement_scores_thousands_of_rows(store: Store) -> None:
    insert(store, MANY, token="a")

    results_of(store).write([outcome(n, n / MANY) for n in range(MANY)])

    assert rows(store, "toUInt32(name), scores") == [(n, {"own": 0.5, "given": n / MANY}) for n in range(MANY)]
    assert rows(store, "count(), uniqExact(parent_id)", "type = 'score'") == [(MANY, MANY)]
    assert rows(store, "count(), uniqExact(task_id)", "1", view="scoring_done") == [(MANY, MANY)]


def test_a_score_that_is_refused_for_good_has_failed_and_the_others_go_on(store: Store) -> None:
    insert(store, 5, token="a")
    table = f"{store.database}.online_scores"
    store.command(f"ALTER TABLE {table} ADD CONSTRAINT known CHECK reason != 'unsound' AND task_id != 'task4'")
    try:
        outcomes = [outcome(n, reason="unsound" if n == 2 else "") for n in range(5)]
        results_of(store).write(outcomes)
    finally:
        store.command(f"ALTER TABLE {table} DROP CONSTRAINT known")

    stored = rows(store, "task_id, toString(status), score, reason", "1", view="online_scores")
    assert [row[:3] for row in stored] == [
        ("task0", "scored", 1.0),
        ("task1", "scored", 1.0),
        ("task2", "failed", None),
        ("task3", "scored", 1.0),
    ]
    assert "Constraint `known`" in stored[2][3]
    # Not even its failure can be said: it is not done, and the next start finds it.
    assert ("task4",) not in rows(store, "task_id", "1", view="scoring_done")


def test_rows_that_come_again_keep_their_scores(store: Store) -> None:
    insert(store, 3, token="a")
    results = results_of(store)
    results.look_for_scores()
    assert results.has_scores is False
    results.write([outcome(n, n / 2) for n in range(2)])
    results.write([outcome(1, 0.25)])
    scored = rows(store, "name, scores, input, metadata, received")

    insert(store, 3, token="b", received=START + 1_000_000)
    assert [row[1] for row in rows(store, "name, scores")] == [{"own": 0.5}] * 3
    again = f"received = fromUnixTimestamp64Micro({START // 1000 + 1000}, 'UTC')"
    results.restore(again)

    assert results.has_scores
    assert [row[:4] for row in rows(store, "name, scores, input, metadata, received")] == [row[:4] for row in scored]
    assert [row[1] for row in scored] == [{"own": 0.5, "given": 0.0}, {"own": 0.5, "given": 0.25}, {"own": 0.5}]


def test_several_scores_replace_an_earlier_failure(store: Store) -> None:
    insert(store, 1, token="a")
    results = results_of(store)
    task = outcome(0).task
    results.write([Outcome(task, FAILED, error="away")])
    assert rows(store, "name, status", "source = 'online'", view="scores") == [("given", "failed")]

    results.write([Outcome(task, SCORED, [OneScore("length", 1.0), OneScore("tone", 0.5)])])

    found = rows(store, "name, status", "source = 'online'", view="scores")
    assert found == [("length", "scored"), ("tone", "scored")]
