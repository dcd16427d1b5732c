"""Instrumentation libraries that are given our provider: one tree, and the application's stays apart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import spanloop
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from spanloop import traced
from spanloop.testing import Capture


@pytest.fixture
def library(captured_spans: Capture) -> trace.Tracer:
    """A tracer as an instrumentation library makes it."""
    return spanloop.tracer_provider().get_tracer("library", "1.0")


@pytest.fixture
def application() -> Iterator[trace.Tracer]:
    provider = TracerProvider(shutdown_on_exit=False)
    yield provider.get_tracer("application")
    provider.shutdown()


@traced(capture_input=False, capture_output=False)
def ours(then: Any = None) -> None:
    if then is not None:
        then()


def names(rows: list[Any]) -> list[Any]:
    return [(row["name"], *names(row.get("children", []))) for row in rows]


def test_spans_nest_both_ways(library: trace.Tracer, captured_spans: Capture) -> None:
    def within() -> None:
        with library.start_as_current_span("chain"):
            with library.start_as_current_span("step"):
                ours()
            ours()

    ours(within)
    assert names(captured_spans.tree()) == [("ours", ("chain", ("step", ("ours",)), ("ours",)))]


def test_spans_attached_by_hand(library: trace.Tracer, captured_spans: Capture) -> None:
    """As callback-based libraries do: start, attach, detach, end, in calls of their own."""
    with spanloop.start_span("request"):
        chain = library.start_span("chain")
        token = otel_context.attach(trace.set_span_in_context(chain))
        tool = library.start_span("tool", context=trace.set_span_in_context(chain))
        ours()
        tool.end()
        otel_context.detach(token)
        chain.end()
        ours()
    [(_, *below)] = names(captured_spans.tree())
    assert sorted(below) == [("chain", ("tool",), ("ours",)), ("ours",)]


def test_log_reaches_the_librarys_span(library: trace.Tracer, captured_spans: Capture) -> None:
    with library.start_as_current_span("chain"):
        spanloop.current_span().log(metadata={"a": 1})
    assert captured_spans.find("chain").fields == {"metadata": {"a": 1}}


def test_block_context_reaches_the_librarys_spans(library: trace.Tracer, captured_spans: Capture) -> None:
    with spanloop.context(user_id="ada"), library.start_as_current_span("chain"):
        pass
    assert captured_spans.find("chain").fields == {"metadata": {"user_id": "ada"}}


def test_the_applications_spans_are_no_parents(
    library: trace.Tracer, application: trace.Tracer, captured_spans: Capture
) -> None:
    with application.start_as_current_span("request"), library.start_as_current_span("chain"):
        ours()
    assert captured_spans.find("chain").parent_id == ""
    assert names(captured_spans.tree()) == [("chain", ("ours",))]


def test_a_caller_in_another_process_is_a_parent(library: trace.Tracer, captured_spans: Capture) -> None:
    header = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
    context = TraceContextTextMapPropagator().extract(header)
    with spanloop.start_span("unrelated"), library.start_as_current_span("served", context=context):
        pass
    assert captured_spans.find("served").parent_id == "b" * 16


def test_exceptions_are_recorded_as_opentelemetry_does(library: trace.Tracer, captured_spans: Capture) -> None:
    with pytest.raises(ValueError, match="x"), library.start_as_current_span("chain"):
        raise ValueError("x")
    assert captured_spans.find("chain").events == ("exception",)


def test_before_init_nothing_is_recorded() -> None:
    with spanloop.tracer_provider().get_tracer("library").start_as_current_span("x") as span:
        assert not span.is_recording()
