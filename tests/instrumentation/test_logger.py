"""`init_logger`: rows without spans, whole or in pieces, and `log_feedback`, through to SQL of a real collector."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import spanloop
from spanloop.testing import Capture, capture

from tests.support.collector_process import CollectorProcess
from tests.support.waiting import wait_until


@pytest.fixture
def logger(shared_collector: CollectorProcess) -> spanloop.Logger:
    """A logger of a project of this test alone."""
    return spanloop.init_logger(
        f"logger-{uuid.uuid4().hex[:8]}",
        endpoint=f"http://{shared_collector.grpc_address}",
        api_url=shared_collector.api_url,
    )


def expect(
    collector: CollectorProcess, logger: spanloop.Logger, columns: str, expected: list[dict[str, Any]], where: str = "1"
) -> None:
    """Rows are on disk when they have been delivered, and in SQL a moment later."""
    query = f"SELECT {columns} FROM logs WHERE project = '{logger.project}' AND ({where}) ORDER BY ALL"
    deadline = time.monotonic() + 15
    while (found := collector.sql(query)) != expected and time.monotonic() < deadline:
        time.sleep(0.05)
    assert found == expected


CONTENT = "id, name, type, input, output, expected, error, tags, metadata['user'] AS user, scores"


def test_pieces_of_one_id_are_one_row_that_runs_until_it_has_an_end(
    logger: spanloop.Logger, shared_collector: CollectorProcess
) -> None:
    begun = time.time() - 5
    row = logger.log(
        id="order 7",
        name="answer",
        type="task",
        input={"q": "why?"},
        metadata={"user": "ada"},
        metrics={"start": begun},
    )
    assert row == "order 7"
    assert logger.flush()
    has_end = "mapContains(metrics, 'end')"
    expect(shared_collector, logger, f"id, {has_end} AS ended", [{"id": "order 7", "ended": 0}])

    logger.log(id=row, output="because", tags=["beta"], scores={"helpful": 1.0, "short": 0.5})
    logger.log(id=row, metadata={"plan": "pro"}, scores={"short": None}, metrics={"end": begun + 2, "cost": 0.5})
    assert logger.flush()
    whole = {
        "id": "order 7",
        "name": "answer",
        "type": "task",
        "input": '{"q":"why?"}',
        "output": '"because"',
        "expected": "",
        "error": "",
        "tags": ["beta"],
        "user": "ada",
        "scores": {"helpful": 1},
    }
    expect(shared_collector, logger, CONTENT, [whole])
    times = f"{has_end} AS ended, round(duration, 3) AS seconds, metrics['cost'] AS cost"
    expect(shared_collector, logger, times, [{"ended": 1, "seconds": 2, "cost": 0.5}])


def test_rows_without_an_id_are_rows_of_their_own(logger: spanloop.Logger, shared_collector: CollectorProcess) -> None:
    ids = {logger.log(input=n, output=n * 2, metrics={"end": time.time()}) for n in range(100)}
    assert logger.flush()
    expect(
        shared_collector, logger, "uniqExact(id) AS ids, sum(toUInt32(input)) AS total", [{"ids": 100, "total": 4950}]
    )
    assert len(ids) == 100
    assert spanloop.stats().delivered == 100


def test_history_keeps_its_time(logger: spanloop.Logger, shared_collector: CollectorProcess) -> None:
    logger.log(id="b", input="old", created=datetime(2026, 1, 2, tzinfo=UTC), metrics={"end": 1767312060})
    logger.log(id="a", input="ended", metrics={"end": 1767312000})
    assert logger.flush()
    expected = [
        {"input": '"ended"', "begun": 1767312000, "duration": 0},
        {"input": '"old"', "begun": 1767312000, "duration": 60},
    ]
    expect(shared_collector, logger, "input, toUnixTimestamp(created) AS begun, duration", expected)


def test_a_row_below_a_span(logger: spanloop.Logger, shared_collector: CollectorProcess) -> None:
    with spanloop.start_span("request") as span:
        logger.log(name="note", input=1, parent=span, metrics={"end": time.time()})
    assert logger.flush()
    place = {"trace_id": span.trace_id, "parent_id": span.span_id}
    expect(shared_collector, logger, "trace_id, parent_id", [place], "name = 'note'")


def test_feedback_reaches_a_span_that_has_just_ended(
    logger: spanloop.Logger, shared_collector: CollectorProcess
) -> None:
    with spanloop.start_span("answer") as span:
        span.log(output="because", tags=["beta"])
    spanloop.log_feedback(
        span.span_id,
        scores={"thumbs": 1.0},
        expected="since",
        tags=["rated", "beta"],
        comment="nearly",
        metadata={"by": "ada"},
    )
    span.log_feedback(scores={"stars": 0.8})
    spanloop.log_feedback(span.export(), metadata={"team": "shop"})
    assert logger.flush()
    columns = "output, expected, tags, scores, " + ", ".join(
        f"metadata['{name}'] AS {name}" for name in ("comment", "by", "team", "feedback_source")
    )
    rated = {
        "output": '"because"',
        "expected": '"since"',
        "tags": ["beta", "rated"],
        "scores": {"thumbs": 1, "stars": 0.8},
        "comment": "nearly",
        "by": "ada",
        "team": "shop",
        "feedback_source": "app",
    }
    expect(shared_collector, logger, columns, [rated])


def test_feedback_waits_for_a_span_that_is_still_running(
    logger: spanloop.Logger, shared_collector: CollectorProcess
) -> None:
    with spanloop.start_span("answer") as span:
        spanloop.log_feedback(span, scores={"thumbs": 0.0})
        assert logger.flush()
        expect(shared_collector, logger, "id", [])
    expect(shared_collector, logger, "scores", [{"scores": {"thumbs": 0}}])


def test_a_bad_row_costs_only_itself(
    logger: spanloop.Logger, shared_collector: CollectorProcess, caplog: pytest.LogCaptureFixture
) -> None:
    logger.log(id="x" * 600, input="bad")
    logger.log(input="good", metrics={"end": time.time()})
    logger.flush()
    expect(shared_collector, logger, "input", [{"input": '"good"'}])
    assert "is longer than 512 characters" in caplog.text
    assert spanloop.stats().refused == 1


def test_the_pages_address(logger: spanloop.Logger, shared_collector: CollectorProcess) -> None:
    with spanloop.start_span("answer") as span:
        pass
    base = f"{shared_collector.api_url}/p/{logger.project}/logs"
    assert span.permalink() == f"{base}?r={span.trace_id}&s={span.span_id}"
    assert spanloop.NOOP_SPAN.permalink() == ""


def test_the_pages_address_where_people_see_it_elsewhere() -> None:
    with capture({"project": "a shop/1", "page_url": "https://spans.example.com/"}), spanloop.start_span("a") as span:
        assert span.permalink().startswith("https://spans.example.com/p/a%20shop%2F1/logs?r=")
    with capture({"endpoint": "https://collector.internal:443"}), spanloop.start_span("a") as span:
        assert span.permalink().startswith("https://collector.internal:7411/p/default/logs?r=")


# What is queued, seen by an application's own tests.


def test_what_is_logged_can_be_captured(captured_spans: Capture) -> None:
    logger = spanloop.init_logger("shop")
    row = logger.log(input={"at": datetime(2030, 1, 2)}, scores={"wrong": 7, "right": 1}, error=ValueError("no"))
    logger.end(row)
    spanloop.log_feedback("r1", comment="good", source="external")
    created, ended = captured_spans.rows[0].pop("created"), captured_spans.rows[1].pop("created")
    assert float(created) <= float(ended)
    assert captured_spans.rows[0] == {
        "id": row,
        "input": {"at": "2030-01-02T00:00:00"},
        "error": "ValueError: no",
        "scores": {"right": 1.0},
    }
    assert captured_spans.rows[1] == {"id": row, "metrics": {"end": float(ended)}}
    assert captured_spans.rows[2] == {"id": "r1", "source": "external", "comment": "good"}


def test_rows_are_masked() -> None:
    settings = {"mask_keys": ("password",), "mask_patterns": (r"\d{4}-\d{4}",)}
    with capture(settings) as captured:
        spanloop.init_logger().log(
            input={"password": "secret"}, output="card 1234-5678", tags=["1234-5678"], metadata={"password": 1}
        )
        spanloop.log_feedback("r1", comment="mine is 1234-5678", scores={"thumbs": 1.0})
    assert "secret" not in str(captured.rows)
    assert "1234-5678" not in str(captured.rows)
    assert captured.rows[1]["scores"] == {"thumbs": 1.0}


# Never hurts.


def test_before_init_nothing_happens() -> None:
    assert len(spanloop.Logger("shop").log(input=1)) == 16
    spanloop.log_feedback("r1", scores={"a": 1})


def test_feedback_about_nothing_is_nothing(captured_spans: Capture) -> None:
    spanloop.NOOP_SPAN.log_feedback(scores={"a": 1.0})
    assert captured_spans.rows == []


def test_feedback_about_a_span_that_was_not_sampled_is_not_sent() -> None:
    with capture({"sample_rate": 0.0}) as captured:
        with spanloop.start_span("answer") as span:
            exported = span.export()
        span.log_feedback(scores={"a": 1.0})
        spanloop.log_feedback(exported, scores={"a": 1.0})
    assert captured.rows == []


class Api:
    """An API that notes the bodies it is sent and answers as told."""

    def __init__(self) -> None:
        self.bodies: list[Any] = []
        self.status = 200
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                api.bodies.append((self.path, body))
                answer = b"{}"
                self.send_response(api.status)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: object) -> None:
                """Keeps test output quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def api() -> Iterator[Api]:
    running = Api()
    yield running
    spanloop.shutdown(timeout_seconds=0)
    running.close()


def test_pieces_that_wait_together_travel_as_one_row(api: Api) -> None:
    logger = spanloop.init_logger("shop", api_url=api.url)
    for number in range(3):
        logger.log(id="r", metadata={"n": {str(number): number}}, output=number)
    logger.log(id="s", input=1)
    assert logger.flush()
    [(path, body)] = api.bodies
    assert (path, body["project"], [row["id"] for row in body["rows"]]) == ("/v1/rows/merge", "shop", ["r", "s"])
    assert body["rows"][0]["metadata"] == {"n": {"0": 0, "1": 1, "2": 2}}
    assert body["rows"][0]["output"] == 2


def test_an_api_that_is_away_keeps_rows_until_it_is_back(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    api.status = 503
    logger = spanloop.init_logger("shop", api_url=api.url)
    started = time.perf_counter()
    for number in range(1000):
        logger.log(input=number)
    assert time.perf_counter() - started < 10
    wait_until(lambda: len(api.bodies) > 0, what="a try", timeout=15)
    api.status = 200
    assert logger.flush()
    sent = {row["id"]: row["input"] for _, body in api.bodies for row in body["rows"]}
    assert sorted(sent.values()) == list(range(1000))
    assert caplog.text.count("cannot deliver") == 1


EXITS = """
import os, sys, spanloop
logger = spanloop.init_logger("shop", api_url=sys.argv[1])
logger.log(id="parent", input=1)
if pid := os.fork():
    os.waitpid(pid, 0)
else:
    logger.log(id="child", input=2)
    spanloop.flush()
    os._exit(0)
"""


def test_the_interpreters_exit_and_a_fork_deliver(api: Api) -> None:
    done = subprocess.run([sys.executable, "-c", EXITS, api.url], env={**os.environ}, timeout=60, check=True)
    assert done.returncode == 0
    assert sorted(row["id"] for _, body in api.bodies for row in body["rows"]) == ["child", "parent"]


@pytest.mark.usefixtures("guard_on")
def test_a_hostile_value_never_reaches_the_caller(api: Api) -> None:
    class Hostile:
        def __str__(self) -> str:
            raise RuntimeError("no")

    logger = spanloop.init_logger("shop", api_url=api.url)
    logger.log(id=Hostile(), input=Hostile(), tags=Hostile(), metrics=Hostile())  # type: ignore[arg-type]
    spanloop.log_feedback(Hostile(), scores=Hostile())  # type: ignore[arg-type]
    logger.log(input="good")
    assert logger.flush()
    assert [row["input"] for _, body in api.bodies for row in body["rows"]] == ["good"]
