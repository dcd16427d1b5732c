"""Other tracing in the same process: nothing is taken from it, nothing is duplicated."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import spanloop
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from spanloop import traced

from tests.instrumentation.otlp_collector import Collector


class Application:
    """An application with OpenTelemetry of its own."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracer = self.provider.get_tracer("application")

    def parents(self) -> dict[str, str]:
        """Name of each span's parent; "" for roots, "?" for a span nobody here knows."""
        spans = self.exporter.get_finished_spans()
        names = {context.span_id: span.name for span in spans if (context := span.get_span_context())}
        return {span.name: names.get(span.parent.span_id, "?") if span.parent else "" for span in spans}


@pytest.fixture
def application() -> Iterator[Application]:
    application = Application()
    yield application
    application.provider.shutdown()


def test_the_global_provider_is_never_set(collector: Collector) -> None:
    before = trace.get_tracer_provider()
    spanloop.init("bot", endpoint=collector.endpoint)
    assert trace.get_tracer_provider() is before


def test_two_trees_that_do_not_touch(application: Application, collector: Collector) -> None:
    spanloop.init("bot", endpoint=collector.endpoint)

    @traced
    def ours() -> None:
        with application.tracer.start_as_current_span("sql"), spanloop.start_span("ours within"):
            pass

    with application.tracer.start_as_current_span("request") as request:
        ours()
    assert spanloop.flush()

    assert application.parents() == {"sql": "request", "request": ""}
    within, root = sorted(collector.received.spans, key=lambda span: span.name, reverse=True)[::-1]
    by_name = {span.name: span for span in (within, root)}
    assert by_name["ours"].parent_span_id == b""
    assert by_name["ours within"].parent_span_id == by_name["ours"].span_id
    # One leads to the other all the same.
    [link] = by_name["ours"].links
    assert link.span_id == request.get_span_context().span_id.to_bytes(8, "big")


def test_joined_to_the_applications_provider(application: Application, collector: Collector) -> None:
    spanloop.init("bot", endpoint=collector.endpoint, tracer_provider=application.provider)

    @traced
    def ours() -> None:
        spanloop.current_span().log(metadata={"a": 1})
        with application.tracer.start_as_current_span("sql"):
            spanloop.current_span().log(metadata={"rows": 3})

    with application.tracer.start_as_current_span("request"):
        ours()
    assert spanloop.flush()

    assert application.parents() == {"sql": "ours", "ours": "request", "request": ""}
    assert collector.received.names == ["ours", "request", "sql"]
    assert collector.received.resource()["spanloop.project"] == "bot"
    assert collector.received.resource()["service.name"].startswith("unknown_service")
    sql = next(span for span in application.exporter.get_finished_spans() if span.name == "sql")
    assert (sql.attributes or {})["spanloop.metadata"] == '{"rows":3}'


def test_joined_generators_leave_the_applications_context_alone(application: Application, collector: Collector) -> None:
    spanloop.init("bot", endpoint=collector.endpoint, tracer_provider=application.provider)

    @traced
    def stream() -> Iterator[int]:
        with application.tracer.start_as_current_span("step"):
            pass
        with spanloop.start_span("open"):
            yield 1
            with application.tracer.start_as_current_span("late step"):
                pass
            yield 2

    with application.tracer.start_as_current_span("request") as request:
        for _ in stream():
            assert trace.get_current_span() is request
    assert application.parents() == {
        "step": "stream",
        "late step": "open",
        "open": "stream",
        "stream": "request",
        "request": "",
    }


def test_shutdown_leaves_the_applications_provider_running(application: Application, collector: Collector) -> None:
    spanloop.init("bot", endpoint=collector.endpoint, tracer_provider=application.provider)
    spanloop.shutdown()
    with application.tracer.start_as_current_span("afterwards"):
        pass
    assert application.parents() == {"afterwards": ""}
    assert collector.received.names == []


def test_the_applications_shutdown_delivers_ours(application: Application, collector: Collector) -> None:
    spanloop.init("bot", endpoint=collector.endpoint, tracer_provider=application.provider)
    with spanloop.start_span("a"):
        pass
    application.provider.shutdown()
    assert collector.received.names == ["a"]


def test_a_provider_that_is_not_the_sdks_is_said(collector: Collector, caplog: pytest.LogCaptureFixture) -> None:
    spanloop.init("bot", endpoint=collector.endpoint, tracer_provider=trace.ProxyTracerProvider())
    assert "tracer_provider='ProxyTracerProvider' is not a TracerProvider" in caplog.text
    with spanloop.start_span("a"):
        pass
    spanloop.flush()
    assert collector.received.names == ["a"]


def test_an_applications_random_seed_does_not_repeat_ids(collector: Collector) -> None:
    import random

    spanloop.init("bot", endpoint=collector.endpoint)
    for _ in range(2):
        random.seed(1)
        with spanloop.start_span("a"):
            pass
    spanloop.flush()
    assert len({span.trace_id for span in collector.received.spans}) == 2


def test_an_attribute_length_limit_does_not_cut_json(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "10")
    spanloop.init("bot", endpoint=collector.endpoint)
    with spanloop.start_span("a", input="x" * 100):
        pass
    spanloop.flush()
    assert collector.received.spans[0].attributes[0].value.string_value == '"' + "x" * 100 + '"'
