"""Spans can be seen before they end."""

from __future__ import annotations

import pytest
import spanloop

from tests.instrumentation.otlp_collector import Collector, attributes


def test_a_running_span_is_sent_and_then_its_finished_self(collector: Collector) -> None:
    spanloop.init("bot", endpoint=collector.endpoint, running_spans=True, flush_interval_seconds=0.02)
    with spanloop.start_span("answer", type="task", input="why?") as span:
        [running] = collector.received.wait_for_spans(1)
        span.log(output="because")
    assert spanloop.flush()

    _, finished = collector.received.spans
    assert (running.span_id, running.trace_id) == (finished.span_id, finished.trace_id)
    assert running.start_time_unix_nano == finished.start_time_unix_nano
    assert running.end_time_unix_nano == 0
    assert finished.end_time_unix_nano > 0
    assert attributes(running) == {"spanloop.type": "task", "spanloop.input": '"why?"'}
    assert attributes(finished) == {**attributes(running), "spanloop.output": '"because"'}


def test_a_span_that_ends_at_once_is_sent_once(collector: Collector) -> None:
    spanloop.init("bot", endpoint=collector.endpoint, running_spans=True, flush_interval_seconds=60)
    with spanloop.start_span("quick"):
        pass
    assert spanloop.flush()
    assert collector.received.names == ["quick"]


@pytest.mark.parametrize(("environment", "expected"), [("development", 1), ("production", 0)])
def test_on_by_default_in_development_only(
    environment: str, expected: int, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPANLOOP_ENV", environment)
    spanloop.init("bot", endpoint=collector.endpoint)
    with spanloop.start_span("answer"):
        assert spanloop.flush()
        assert len(collector.received.spans) == expected
