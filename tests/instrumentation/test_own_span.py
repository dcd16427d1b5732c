"""Spans without the SDK are sent just as the SDK's would be, and step aside where somebody else has a say."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import spanloop
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Status, StatusCode
from spanloop import _encode, _runtime, traced
from spanloop._own_span import MAX_EVENTS, OwnSpan

from tests.instrumentation.otlp_collector import Collector


def work(tracer_like: Any, **parent: Any) -> Any:
    span = tracer_like("work", {"spanloop.type": "tool", "n": 1, "tags": ("a", "b")}, **parent)
    span.set_attribute("spanloop.output", '"done"')
    span.set_attributes({"x": 1.5, "y": True})
    span.add_event("retry", {"retry.reason": "503"}, 17)
    span.set_status(Status(StatusCode.ERROR, "broken"))
    span.update_name("work 2")
    span.end(2_000_000_000_000_000_000)
    return span


def test_the_bytes_are_those_of_the_sdks_span(collector: Collector) -> None:
    spanloop.init("bot", endpoint=collector.endpoint)
    runtime = _runtime.active()
    assert runtime is not None
    assert runtime.own is not None
    own = work(lambda name, attributes: runtime.own.start(name, attributes, None, _kind(), ()))
    sdk = work(lambda name, attributes: runtime.tracer.start_span(name, attributes=attributes))
    assert _timeless(_encode.encode_span(own), own) == _timeless(_encode.encode_span(sdk), sdk)


def _kind() -> Any:
    from opentelemetry.trace import SpanKind

    return SpanKind.INTERNAL


def _timeless(encoded: bytes, span: Any) -> bytes:
    context = span.get_span_context()
    for number, size in ((context.trace_id, 16), (context.span_id, 8)):
        encoded = encoded.replace(number.to_bytes(size, "big"), b"." * size)
    return encoded.replace(span.start_time.to_bytes(8, "little"), b"." * 8)


def test_nothing_is_written_after_the_end_and_events_are_bounded(collector: Collector) -> None:
    spanloop.init("bot", endpoint=collector.endpoint)
    with spanloop.start_span("x") as span:
        otel: Any = span._otel
        assert isinstance(otel, OwnSpan)
        for n in range(MAX_EVENTS + 5):
            otel.add_event(f"{n}", {}, n + 1)
        otel.set_status(StatusCode.OK)
        otel.set_status(StatusCode.ERROR, "too late")
        otel.record_exception(ValueError("x"))
    late: tuple[Callable[[], object], ...] = (
        lambda: otel.set_attribute("a", 1),
        lambda: otel.set_attributes({"a": 1}),
        lambda: otel.add_event("a"),
        lambda: otel.update_name("a"),
        lambda: otel.set_status(StatusCode.ERROR),
        otel.end,
    )
    for write in late:
        write()
    assert spanloop.flush()
    [sent] = collector.received.spans
    assert (sent.name, sent.status.code, sent.dropped_events_count) == ("x", 1, 6)
    assert [event.name for event in sent.events][-2:] == [f"{MAX_EVENTS + 4}", "exception"]
    assert not any(attribute.key == "a" for attribute in sent.attributes)
    assert spanloop.stats().delivered == 1


def test_a_parent_that_is_not_sampled_elsewhere_keeps_it_from_being_sent(collector: Collector) -> None:
    spanloop.init("bot", endpoint=collector.endpoint)
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    for flags in ("00", "01"):
        with spanloop.start_span(flags, parent=f"00-{trace_id}-b7ad6b7169203331-{flags}"):
            pass
    assert spanloop.flush()
    [sent] = collector.received.spans
    assert (sent.name, sent.trace_id.hex(), sent.parent_span_id.hex()) == ("01", trace_id, "b7ad6b7169203331")


def test_a_sampler_from_the_environment_decides(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    spanloop.init("bot", endpoint=collector.endpoint)
    with spanloop.start_span("x"):
        pass
    assert spanloop.flush()
    assert collector.received.spans == []


def test_further_processors_see_spans_they_know(collector: Collector) -> None:
    spanloop.init("bot", endpoint=collector.endpoint)
    exporter = InMemorySpanExporter()
    provider: Any = spanloop.tracer_provider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))

    @traced
    def step() -> None:
        pass

    step()
    assert [re.sub(" .*", "", span.name) for span in exporter.get_finished_spans()] == ["step"]
    assert spanloop.flush()
    assert collector.received.names == ["step"]


def test_in_the_applications_provider_spans_are_the_sdks(collector: Collector) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    spanloop.init("bot", endpoint=collector.endpoint, tracer_provider=provider)
    with spanloop.start_span("x"):
        pass
    assert [span.name for span in exporter.get_finished_spans()] == ["x"]
