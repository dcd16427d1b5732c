"""What rules cost: a statement for many rows, and nothing of it in Python."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType

import pytest
import spanloop_collector
from spanloop_collector.receive.stamp import stamp
from spanloop_collector.score.pace import Pace
from spanloop_collector.score.results import Results
from spanloop_collector.score.rule import Rule, RuleScorer
from spanloop_collector.score.rulebook import RuleBook
from spanloop_collector.score.trigger import Trigger
from spanloop_collector.store import Store
from spanloop_collector.store.changes import Actor

from tests.collector.schema.spans import START, request, span
from tests.collector.write.test_writer import line

COLLECTOR = str(Path(spanloop_collector.__file__).parent)


@pytest.mark.parametrize(("filter", "tasks_per_span"), [("name = 'nothing'", 0), ("name = 'work'", 10)])
async def test_python_does_as_much_for_a_thousand_spans_and_ten_rules_as_for_one(
    store: Store, tmp_path: Path, filter: str, tasks_per_span: int
) -> None:
    book, scorers = RuleBook(store), (RuleScorer("is_json", "is_json"),)
    pace = Pace(lambda: math.inf)
    trigger = Trigger(store, book, Results(store, book, pace=pace), pace=pace, on_queued=lambda: None)
    calls: dict[tuple[int, int], int] = {}
    async with line(tmp_path, store) as it:
        # The first time fills caches.
        for number, (rules, spans) in enumerate(((1, 1), (1, 1), (10, 1), (10, 1), (10, 1000))):
            for rule in range(rules):
                book.put(Rule("p", f"rule {rule}", scorers, filter=filter), actor=Actor("test"))
            sent, received = request(*(span() for _ in range(spans))), START + number * 1_000_000
            pieces = stamp(sent, project="", default_project="p", received_unix_nano=received)
            await it.spool.append(b"".join(pieces), item_count=spans)
            it.spool.seal()
            segment = await it.spool.take(5)
            assert segment is not None
            store.insert_otlp("traces", segment.path, token=segment.token)
            calls[rules, spans] = calls_of(partial(trigger.look, [segment]))

    assert calls[1, 1] == calls[10, 1] == calls[10, 1000]
    queued = store.column(f"SELECT count() FROM {store.database}.scoring_queue")
    assert queued == [(2 + 1002 * 10) * tasks_per_span // 10]


def calls_of(work: Callable[[], object]) -> int:
    """How many functions of the collector the work calls."""
    count = 0

    def seen(frame: FrameType, event: str, _: object) -> None:
        nonlocal count
        count += event == "call" and frame.f_code.co_filename.startswith(COLLECTOR)

    before = sys.getprofile()
    sys.setprofile(seen)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count
