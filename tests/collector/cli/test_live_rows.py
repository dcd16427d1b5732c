"""`spanloop tail` shows every row once, in whatever order rows become visible."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from spanloop_collector.cli.live_rows import MAX_ROWS_PER_LOOK, LiveRows

START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Arrival:
    """A row on its way: stamped at one second, in the spool from then on, visible at a later one."""

    received: float
    visible: float
    span_id: str
    is_finished: bool = True


@dataclass
class ListBackedCollector:
    """Answers as a collector does whose clock stands at `now`."""

    arrivals: list[Arrival]
    now: float = 0.0
    statements: list[str] = field(default_factory=list)

    def get(self, path: str) -> dict[str, Any]:
        assert path == "/v1/status"
        waiting = [self.now - a.received for a in self.arrivals if a.received <= self.now < a.visible]
        age = max(waiting, default=0.0)
        nanoseconds = int((START + timedelta(seconds=self.now)).timestamp() * 1_000_000) * 1000
        return {"now_unix_nano": str(nanoseconds), "spools": [{"oldest_age_seconds": age}]}

    def sql_rows(self, statement: str) -> list[dict[str, Any]]:
        self.statements.append(statement)
        rows = [
            {
                "received": f"{at(arrival.received):%Y-%m-%d %H:%M:%S.%f}",
                "trace_id": "t",
                "span_id": arrival.span_id,
                "is_finished": arrival.is_finished,
            }
            for arrival in self.arrivals
            if arrival.visible <= self.now
        ]
        rows.sort(key=position)
        if match := re.search(r"received >= '(.*?)'", statement):
            rows = [row for row in rows if str(row["received"]) >= match[1]]
        elif match := re.search(r"\(received, trace_id, span_id\) > \('(.*?)', '(.*?)', '(.*?)'\)", statement):
            rows = [row for row in rows if position(row) > match.groups()]
        else:
            raise AssertionError(f"reads everything: {statement}")
        return rows[:MAX_ROWS_PER_LOOK]


def position(row: dict[str, Any]) -> tuple[str, str, str]:
    return row["received"], row["trace_id"], row["span_id"]


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def follow(collector: ListBackedCollector, looks: list[float]) -> list[tuple[str, bool]]:
    """What is shown when looking at these times, the first of which is the start."""
    collector.now = looks[0]
    live = LiveRows(collector)  # type: ignore[arg-type]  # answers the two calls that are made
    shown = []
    for now in looks:
        collector.now = now
        shown += [(row["span_id"], row["is_finished"]) for row in live.look()]
    return shown


seconds = st.floats(min_value=0.001, max_value=300, allow_nan=False).map(lambda value: round(value, 3))


@given(st.lists(st.tuples(seconds, seconds), max_size=30), st.lists(seconds, max_size=30))
def test_every_row_is_shown_once_whenever_it_becomes_visible(
    times: list[tuple[float, float]], looks: list[float]
) -> None:
    arrivals = [Arrival(received, received + delay, f"span-{number}") for number, (received, delay) in enumerate(times)]
    shown = follow(ListBackedCollector(arrivals), [0.0, *sorted(looks), 1000.0])
    assert sorted(shown) == sorted((arrival.span_id, True) for arrival in arrivals)


def test_running_span_is_shown_again_when_it_is_finished() -> None:
    running = Arrival(1, 2, "span", is_finished=False)
    collector = ListBackedCollector([running])
    live = LiveRows(collector)  # type: ignore[arg-type]  # answers the two calls that are made
    collector.now = 3
    assert [row["is_finished"] for row in live.look()] == [False]
    collector.arrivals.append(Arrival(4, 5, "span"))
    collector.now = 6
    assert [row["is_finished"] for row in live.look()] == [True]


def test_more_rows_than_one_page_are_all_shown() -> None:
    arrivals = [Arrival(1 + n / 1000, 10, f"span-{n}") for n in range(3 * MAX_ROWS_PER_LOOK + 5)]
    assert len(follow(ListBackedCollector(arrivals), [0.0, 20.0])) == len(arrivals)


def test_spans_of_one_large_request_are_all_shown() -> None:
    arrivals = [Arrival(1, 10, f"span-{n}") for n in range(2 * MAX_ROWS_PER_LOOK + 5)]
    assert len(follow(ListBackedCollector(arrivals), [0.0, 20.0])) == len(arrivals)


def test_rows_from_before_the_start_are_not_shown() -> None:
    arrivals = [Arrival(1, 2, "old"), Arrival(11, 12, "new")]
    assert follow(ListBackedCollector(arrivals), [10.0, 20.0]) == [("new", True)]


def test_condition_cannot_comment_out_what_follows() -> None:
    collector = ListBackedCollector([])
    list(LiveRows(collector, where="type = 'llm' -- only models").look())  # type: ignore[arg-type]  # as above
    assert "-- only models\n) ORDER BY" in collector.statements[0]
