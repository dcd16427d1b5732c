"""`traces` adds up whole traces, whatever order their spans come in, and reads only the traces it is asked for."""

from __future__ import annotations

import os
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from spanloop_collector.spool.record import delimited
from spanloop_collector.store import Store

from tests.collector.schema.spans import END, START, request, span, store_spans

pytestmark = pytest.mark.also_on_cluster

TRACE_ID = b"T" * 16
ROOT_ID = b"R" * 8
SECOND = 1_000_000_000
LLM = {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 3, "gen_ai.usage.output_tokens": 4}


def root(**fields: Any) -> Span:
    return span({"input.value": "why?", "user.id": "ada"}, **{"trace_id": TRACE_ID, "span_id": ROOT_ID, **fields})


def child(**fields: Any) -> Span:
    given = {"trace_id": TRACE_ID, "parent_span_id": ROOT_ID, "start_time_unix_nano": START + SECOND}
    return span(LLM, **{**given, **fields})


def send(store: Store, *spans: Span, received: int = START) -> None:
    store_spans(store, *spans, received=received)


def trace(store: Store) -> dict[str, Any]:
    """The only trace there is, without what its root says."""
    columns = "name, spans, errors, tokens, duration, is_complete"
    (row,) = store.query(f"SELECT {columns} FROM {store.database}.traces").named_results()
    return dict(row)


def test_a_trace_is_its_root_and_the_sum_of_its_spans(store: Store) -> None:
    send(store, root(name="answer"), child(), child(end_time_unix_nano=END + SECOND, status={"code": 2}))

    assert trace(store) == {
        "name": "answer",
        "spans": 3,
        "errors": 1,
        "tokens": 14.0,
        "duration": 2.5,
        "is_complete": 1,
    }


def test_children_may_come_hours_before_and_after_their_root(store: Store) -> None:
    send(store, child())
    assert store.column(f"SELECT count() FROM {store.database}.traces") == [0]
    send(store, root(), received=START + 3600 * SECOND)
    send(store, child(start_time_unix_nano=START + 7200 * SECOND), received=START + 7200 * SECOND)

    assert trace(store)["spans"] == 3


def test_a_running_root_is_replaced_and_a_retry_counts_once(store: Store) -> None:
    send(store, root(end_time_unix_nano=0), child())
    assert trace(store)["is_complete"] == 0
    for later in (1, 2):
        send(store, root(), child(span_id=b"C" * 8), received=START + later)

    assert trace(store) | {"name": ""} == {
        "name": "",
        "spans": 3,
        "errors": 0,
        "tokens": 14.0,
        "duration": 1.5,
        "is_complete": 1,
    }


def test_an_error_that_a_later_version_took_back_is_gone(store: Store) -> None:
    send(store, root(end_time_unix_nano=0, status={"code": 2}))
    send(store, root(), received=START + 1)

    found = f"SELECT count() FROM {store.database}.traces WHERE trace_id = '{TRACE_ID.hex()}' AND error != ''"
    assert store.column(found) == [0]


def test_projects_that_share_a_trace_id_do_not_share_a_trace(store: Store) -> None:
    send(store, root(), child())
    store.insert_otlp("traces", delimited(request(root(), project="other")), token="other")

    counts = store.query(f"SELECT project, spans FROM {store.database}.traces ORDER BY project").result_rows
    assert counts == [("other", 1), ("p", 2)]


def test_the_newest_traces_are_picked_before_anything_is_added_up(store: Store) -> None:
    send(store, *(root(trace_id=os.urandom(16), start_time_unix_nano=START + n) for n in range(30)))
    newest = f"SELECT * FROM {store.database}.traces WHERE project = 'p' ORDER BY created DESC LIMIT 2"

    plan = "\n".join(store.column(f"EXPLAIN {newest}"))

    assert "BuildRuntimeFilter" in plan
    below_the_join = plan.partition("Join (JOIN")[2]
    assert "Limit" in below_the_join
