"""Delivery to real collectors: everything arrives, nothing hurts when they misbehave."""

from __future__ import annotations

import logging
import statistics
import threading
import time
from collections.abc import Iterator

import grpc
import pytest
import spanloop
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo  # type: ignore[import-untyped]  # has no types
from spanloop import _sender, traced

from tests.instrumentation.otlp_collector import (
    Collector,
    Refusal,
    attributes,
    grpc_collector,
    http_collector,
)
from tests.support.ports import free_port
from tests.support.waiting import wait_until


@pytest.fixture(params=["grpc", "http/protobuf"])
def any_collector(request: pytest.FixtureRequest) -> Iterator[Collector]:
    with grpc_collector() if request.param == "grpc" else http_collector() as running:
        yield running


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses short enough for a test."""
    monkeypatch.setattr(_sender, "FIRST_PAUSE_SECONDS", 0.02)
    monkeypatch.setattr(_sender, "LONGEST_PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(_sender, "DENIED_PAUSE_SECONDS", 0.05)


def start(collector: Collector, **more: object) -> None:
    settings: dict[str, object] = {"flush_interval_seconds": 0.02, "protocol": collector.protocol, **more}
    spanloop.init("bot", endpoint=collector.endpoint, **settings)  # type: ignore[arg-type]


def spans(*names: str) -> None:
    for name in names:
        with spanloop.start_span(name):
            pass


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    return [(record.levelname, record.getMessage()) for record in caplog.records]


def test_a_span_arrives_whole(any_collector: Collector) -> None:
    start(any_collector, api_key="sl_1_secret", environment="staging")
    with (
        spanloop.context(session_id="s"),
        spanloop.start_span("answer", type="task", input={"q": "why?"}, tags=["t"]) as span,
    ):
        span.log(output="because", scores={"helpful": 1}, metrics={"steps": 2})
    assert spanloop.flush()

    received = any_collector.received
    [sent] = received.spans
    assert sent.name == "answer"
    assert (sent.trace_id.hex(), sent.span_id.hex()) == (span.trace_id, span.span_id)
    assert sent.parent_span_id == b""
    assert 0 < sent.start_time_unix_nano <= sent.end_time_unix_nano
    assert attributes(sent) == {
        "spanloop.type": "task",
        "spanloop.input": '{"q":"why?"}',
        "spanloop.output": '"because"',
        "spanloop.scores": '{"helpful":1.0}',
        "spanloop.metrics": '{"steps":2}',
        "spanloop.metadata": '{"session_id":"s"}',
        "spanloop.tags": ["t"],
    }
    assert received.headers[0]["authorization"] == "Bearer sl_1_secret"
    resource = received.resource()
    assert resource["spanloop.project"] == "bot"
    assert resource["deployment.environment.name"] == "staging"
    assert resource["telemetry.sdk.language"] == "python"


def test_service_name_is_kept(any_collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "checkout")
    start(any_collector)
    spans("a")
    spanloop.flush()
    assert any_collector.received.resource()["service.name"] == "checkout"


def test_init_from_the_environment(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPANLOOP_PROJECT", "from-env")
    monkeypatch.setenv("SPANLOOP_ENDPOINT", collector.endpoint)
    monkeypatch.setenv("SPANLOOP_API_KEY", "sl_2_other")
    spanloop.init()
    spans("a")
    spanloop.flush()
    assert collector.received.resource()["spanloop.project"] == "from-env"
    assert collector.received.headers[0]["authorization"] == "Bearer sl_2_other"


def test_compressed(any_collector: Collector) -> None:
    start(any_collector, compression="gzip")
    with spanloop.start_span("long", input="x" * 100_000):
        pass
    assert spanloop.flush()
    assert any_collector.received.names == ["long"]


def test_spans_leave_by_themselves(any_collector: Collector) -> None:
    start(any_collector)
    spans("a")
    any_collector.received.wait_for_spans(1)


def test_many_spans_from_many_threads_all_arrive(any_collector: Collector) -> None:
    start(any_collector)

    def work(thread: int) -> None:
        spans(*(f"{thread}.{n}" for n in range(250)))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert spanloop.flush(timeout_seconds=30)
    assert any_collector.received.names == sorted(f"{t}.{n}" for t in range(8) for n in range(250))
    assert spanloop.stats() == spanloop.Stats(delivered=2000)


def test_a_second_init_changes_nothing_and_says_so(collector: Collector, caplog: pytest.LogCaptureFixture) -> None:
    start(collector)
    start(collector)
    assert lines(caplog) == []
    spanloop.init("other", endpoint=collector.endpoint, flush_interval_seconds=0.02)
    assert lines(caplog) == [
        (
            "WARNING",
            "spanloop is already running; init() with a different project changes nothing. "
            "Call spanloop.shutdown() first",
        )
    ]
    spans("a")
    spanloop.flush()
    assert collector.received.resource()["spanloop.project"] == "bot"


def test_init_after_shutdown(collector: Collector) -> None:
    start(collector)
    spans("a")
    assert spanloop.shutdown()
    spans("lost")
    spanloop.init("second", endpoint=collector.endpoint)
    spans("b")
    assert spanloop.shutdown()
    assert collector.received.names == ["a", "b"]
    assert collector.received.resource()["spanloop.project"] == "second"


def test_a_span_that_outlives_shutdown_does_no_harm(collector: Collector) -> None:
    start(collector)
    span = spanloop.start_span("late")
    spanloop.shutdown()
    span.log(output=1)
    span.end()
    assert collector.received.names == []


# --- the collector is away, slow, or refuses ---------------------------------------------------


@pytest.mark.parametrize("protocol", ["grpc", "http/protobuf"])
def test_absent_collector_is_said_once_and_found_when_it_comes(
    protocol: str, quick: None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "spanloop")
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    spanloop.init("bot", endpoint=endpoint, protocol=protocol, flush_interval_seconds=0.01)
    spans("a", "b")
    wait_until(lambda: caplog.records, what="a line in the log")
    spans("c")
    assert not spanloop.flush(timeout_seconds=0.3)
    [(level, message)] = lines(caplog)
    assert level == "WARNING"
    assert message.startswith(f"cannot deliver to the collector at {endpoint} (")
    assert "`spanloop serve` starts one" in message
    assert spanloop.stats() == spanloop.Stats(waiting=3)

    if protocol == "grpc":
        with grpc_collector(port) as collector:
            assert spanloop.flush(timeout_seconds=15)
            assert collector.received.names == ["a", "b", "c"]
        [_, (level, message)] = lines(caplog)
        assert level == "INFO"
        assert message.startswith(f"delivering to {endpoint} again after ")
        assert message.endswith("dropped meanwhile: 0")


def test_retryable_refusals_are_repeated_until_accepted(
    any_collector: Collector, quick: None, caplog: pytest.LogCaptureFixture
) -> None:
    received = any_collector.received
    received.refusal = Refusal()
    start(any_collector)
    spans("a")
    wait_until(lambda: received.tries >= 5, what="five tries")
    received.refusal = None
    assert spanloop.flush()
    assert received.names == ["a"]
    assert [level for level, _ in lines(caplog)] == ["WARNING"]


def test_a_wrong_key_is_said_once_and_the_spans_kept(
    any_collector: Collector, quick: None, caplog: pytest.LogCaptureFixture
) -> None:
    received = any_collector.received
    received.refusal = Refusal(grpc.StatusCode.UNAUTHENTICATED, 401, "unknown key")
    start(any_collector, api_key="wrong")
    spans("a")
    wait_until(lambda: received.tries >= 3, what="three tries")
    [(level, message)] = lines(caplog)
    assert level == "ERROR"
    assert "unknown key" in message
    assert "SPANLOOP_API_KEY" in message
    received.refusal = None  # the operator adds the key
    assert spanloop.flush()
    assert received.names == ["a"]


def test_the_collectors_own_pause_is_respected(any_collector: Collector, quick: None) -> None:
    received = any_collector.received
    pause = RetryInfo(retry_delay=Duration(nanos=400_000_000)).SerializeToString()
    received.refusal = Refusal(http=429, trailers=(("google.rpc.retryinfo-bin", pause),), headers={"retry-after": "1"})
    start(any_collector)
    spans("a")
    wait_until(lambda: received.tries >= 1, what="a try")
    received.refusal = None
    started = time.monotonic()
    received.wait_for_spans(1)
    assert time.monotonic() - started > 0.3
    assert received.tries == 2


def test_only_the_guilty_span_is_dropped(
    any_collector: Collector, quick: None, caplog: pytest.LogCaptureFixture
) -> None:
    received = any_collector.received
    received.refusal = Refusal(
        grpc.StatusCode.INVALID_ARGUMENT, 400, "bad span", is_wanted=lambda body: b"guilty" in body
    )
    start(any_collector, flush_interval_seconds=5)
    spans(*(f"good {n}" for n in range(20)), "guilty", *(f"good {n}" for n in range(20, 40)))
    assert spanloop.flush()
    assert received.names == sorted(f"good {n}" for n in range(40))
    assert spanloop.stats() == spanloop.Stats(delivered=40, refused=1)
    [(level, message)] = lines(caplog)
    assert level == "ERROR"
    assert message.startswith("dropped 1 traces that the collector will never accept: ")
    assert "bad span" in message


def test_a_batch_too_large_goes_in_pieces(any_collector: Collector) -> None:
    received = any_collector.received
    received.refusal = Refusal(
        grpc.StatusCode.RESOURCE_EXHAUSTED, 413, "too large", is_wanted=lambda body: len(body) > 3000
    )
    start(any_collector, flush_interval_seconds=5)
    spans(*(f"{n}" for n in range(100)))
    assert spanloop.flush()
    assert len(received.names) == 100


def test_what_the_collector_rejects_is_counted_and_said_once(
    any_collector: Collector, caplog: pytest.LogCaptureFixture
) -> None:
    any_collector.received.rejected_spans = 1
    start(any_collector)
    for name in ("a", "b"):
        spans(name)
        assert spanloop.flush()
    assert spanloop.stats() == spanloop.Stats(refused=2)
    assert lines(caplog) == [("WARNING", "the collector rejected 1 items: span without a name")]


def test_a_span_that_cannot_be_encoded_costs_no_other(collector: Collector, caplog: pytest.LogCaptureFixture) -> None:
    start(collector, flush_interval_seconds=5)
    spans("a")
    spanloop.current_span()
    with spanloop.start_span("bad") as bad:
        bad._otel.update_name("\ud800")  # as an instrumentor that does not check might
    spans("b")
    assert spanloop.flush()
    assert collector.received.names == ["a", "b"]
    assert spanloop.stats().refused == 1
    assert "cannot be encoded" in caplog.text


def test_the_wrong_protocol_is_said(
    collector: Collector, collector_over_http: Collector, caplog: pytest.LogCaptureFixture
) -> None:
    for endpoint, protocol in (
        (collector.endpoint, "http/protobuf"),
        (collector_over_http.endpoint, "grpc"),
    ):
        caplog.clear()
        spanloop.init("bot", endpoint=endpoint, protocol=protocol, request_timeout_seconds=1)
        spans("a")
        assert not spanloop.flush(timeout_seconds=1.5)
        assert len(lines(caplog)) == 1
        spanloop.shutdown(timeout_seconds=0)


def test_a_slow_collector_never_slows_the_application(collector: Collector) -> None:
    collector.received.gate.clear()
    start(collector, max_queue_items=2000, flush_interval_seconds=0.01)

    @traced
    def work(n: int) -> int:
        return n

    seconds = []
    for n in range(3000):
        started = time.perf_counter()
        work(n)
        seconds.append(time.perf_counter() - started)
    assert statistics.quantiles(seconds, n=100)[-1] < 0.02
    stats = spanloop.stats()
    assert stats.delivered == 0
    assert stats.waiting <= 2000
    assert stats.dropped == 3000 - stats.waiting
    collector.received.gate.set()
    assert spanloop.flush(timeout_seconds=20)


def test_beyond_the_bound_the_oldest_waiting_are_dropped(quick: None, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "spanloop")
    port = free_port()
    spanloop.init("bot", endpoint=f"http://127.0.0.1:{port}", max_queue_items=10, flush_interval_seconds=60)
    spans(*(f"{n:02}" for n in range(25)))
    assert spanloop.stats() == spanloop.Stats(waiting=10, dropped=15)
    with grpc_collector(port) as collector:
        assert spanloop.flush(timeout_seconds=15)
        assert collector.received.names == [f"{n:02}" for n in range(15, 25)]
    assert lines(caplog)[0] == (
        "WARNING",
        "the queue of traces is full; dropping the oldest from now on. "
        "SPANLOOP_MAX_QUEUE_BYTES and SPANLOOP_MAX_QUEUE_ITEMS set its size",
    )


def test_the_queue_is_bounded_in_bytes() -> None:
    spanloop.init("bot", endpoint=f"http://127.0.0.1:{free_port()}", max_queue_bytes=100_000, flush_interval_seconds=60)
    for _ in range(20):
        with spanloop.start_span("big", input="x" * 20_000):
            pass
    stats = spanloop.stats()
    assert (stats.waiting, stats.dropped) == (4, 16)


def test_a_span_larger_than_the_queue_still_gets_its_chance(collector: Collector) -> None:
    start(collector, max_queue_bytes=1000)
    with spanloop.start_span("huge", input="x" * 100_000):
        pass
    assert spanloop.flush()
    assert collector.received.names == ["huge"]


def test_shutdown_of_a_dead_collector_is_short(caplog: pytest.LogCaptureFixture) -> None:
    spanloop.init("bot", endpoint=f"http://127.0.0.1:{free_port()}")
    spans("a")
    started = time.monotonic()
    assert not spanloop.shutdown(timeout_seconds=20)
    assert time.monotonic() - started < 10
    assert lines(caplog)[-1] == ("WARNING", "1 traces were not delivered before the end")


def test_shutdown_of_a_stuck_collector_is_bounded(collector: Collector) -> None:
    collector.received.gate.clear()
    start(collector)
    spans("a")
    started = time.monotonic()
    assert not spanloop.shutdown(timeout_seconds=0.3)
    assert time.monotonic() - started < 5
    collector.received.gate.set()


def test_a_fault_in_the_sender_does_not_end_delivery(
    collector: Collector, guard_on: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(collector)
    with monkeypatch.context() as broken:
        broken.setattr(_sender, "_pauses", lambda: 1 / 0)
        spans("lost")
        wait_until(lambda: spanloop.stats().refused == 1, what="the fault")
    spans("next")
    assert spanloop.flush()
    assert collector.received.names == ["next"]
