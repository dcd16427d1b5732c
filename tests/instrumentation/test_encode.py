"""Our encoder gives what the SDK's gives."""

from __future__ import annotations

import enum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, SpanContext, SpanKind, StatusCode, TraceFlags, TraceState
from opentelemetry.trace.propagation import set_span_in_context
from opentelemetry.trace.span import NonRecordingSpan
from spanloop._encode import encoder
from spanloop._wire import any_value


def ours(spans: list[ReadableSpan]) -> ExportTraceServiceRequest:
    return ExportTraceServiceRequest.FromString(encoder("")(spans))


def provider(exporter: InMemorySpanExporter, **resource: Any) -> TracerProvider:
    provider = TracerProvider(resource=Resource(resource, "https://schema"), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider


def test_a_span_with_everything() -> None:
    exporter = InMemorySpanExporter()
    tracer = provider(exporter, name="svc", ports=[1, 2]).get_tracer(
        "scope", "1.2", "https://scope-schema", {"a": True}
    )
    remote = SpanContext(7, 8, True, TraceFlags(1), TraceState([("vendor", "x"), ("other", "y")]))
    other = SpanContext(9, 10, False)
    with tracer.start_as_current_span(
        "näme",
        context=set_span_in_context(NonRecordingSpan(remote)),
        kind=SpanKind.CLIENT,
        attributes={"s": "text ✓", "i": -1, "big": 2**63 - 1, "f": 0.1, "b": False, "list": ["a", 1], "raw": b"\x00"},
        links=[Link(remote, {"why": "because"}), Link(other)],
    ) as span:
        span.add_event("happened", {"n": 1, "long": "x" * 300})
        span.set_status(StatusCode.ERROR, "broken")
        with tracer.start_as_current_span("", kind=SpanKind.SERVER):
            pass
    spans = list(exporter.get_finished_spans())
    assert ours(spans) == encode_spans(spans)


def test_several_resources_and_scopes() -> None:
    exporter = InMemorySpanExporter()
    for service in ("one", "two"):
        each = provider(exporter, service=service)
        for scope in ("a", "b", "a"):
            with each.get_tracer(scope).start_as_current_span(scope):
                pass
    spans = list(exporter.get_finished_spans())
    assert ours(spans) == encode_spans(spans)


def test_a_span_that_still_runs() -> None:
    span = provider(InMemorySpanExporter()).get_tracer("t").start_span("running", attributes={"a": 1})
    assert isinstance(span, ReadableSpan)
    assert ours([span]) == encode_spans([span])


attribute_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(min_size=1), inner, max_size=4),
    max_leaves=8,
)


@given(st.dictionaries(st.text(min_size=1), attribute_values, max_size=6))
def test_any_attributes(attributes: dict[str, Any]) -> None:
    span = ReadableSpan(
        "x", SpanContext(1, 2, False), resource=Resource({}), attributes=attributes, start_time=1, end_time=2
    )
    assert ours([span]) == encode_spans([span])


def test_the_project_is_named_where_the_resource_does_not() -> None:
    span = ReadableSpan("x", SpanContext(1, 2, False), resource=Resource({"a": "b"}), attributes={}, start_time=1)
    own = ReadableSpan(
        "y", SpanContext(1, 3, False), resource=Resource({"spanloop.project": "own"}), attributes={}, start_time=1
    )
    request = ExportTraceServiceRequest.FromString(encoder("given")([span, own]))
    named = [
        {each.key: each.value.string_value for each in resource.resource.attributes}
        for resource in request.resource_spans
    ]
    assert named == [{"a": "b", "spanloop.project": "given"}, {"spanloop.project": "own"}]


class Level(enum.IntEnum):
    HIGH = 3


class Name(str):
    """A string of a library's own."""


def test_subclasses_of_plain_types() -> None:
    assert any_value(Level.HIGH) == any_value(3)
    assert any_value(Name("x")) == any_value("x")


def test_what_is_no_attribute_value_is_refused() -> None:
    with pytest.raises(TypeError, match="an attribute of type object"):
        any_value(object())
