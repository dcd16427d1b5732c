"""What people filter by is found through an index of the view's table, whether or not rows have been merged."""

from __future__ import annotations

import time

import pytest
from spanloop_collector.store import Store

from tests.collector.schema.spans import span, store_spans

FILTERS = {
    "by_trace_id": "trace_id = '{trace_id}'",
    "by_id": "id = '{span_id}'",
    "by_metadata": "metadata['session_id'] = 's1'",
    "by_input_words": "hasToken(lower(input), 'refund')",
    "by_output_words": "hasToken(lower(output), 'granted')",
}


def insert(store: Store) -> dict[str, str]:
    attributes = {"session.id": "s1", "user.id": "u1", "input.value": "Refund, please!", "output.value": "Granted."}
    found = span(attributes)
    store_spans(store, found, span(), received=time.time_ns())
    return {"trace_id": found.trace_id.hex(), "span_id": found.span_id.hex()}


@pytest.mark.parametrize("index", FILTERS)
def test_filter_finds_its_row_and_uses_its_index(store: Store, index: str) -> None:
    condition = FILTERS[index].format(**insert(store))
    statement = f"SELECT count() FROM {store.database}.logs WHERE {condition}"
    assert store.column(statement) == [1]

    store.command(f"OPTIMIZE TABLE {store.database}.spans FINAL")

    assert store.column(statement) == [1]
    plan = "\n".join(store.column(f"EXPLAIN indexes = 1 {statement}"))
    assert f"Name: {index}" in plan
