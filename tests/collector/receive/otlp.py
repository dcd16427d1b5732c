"""Small OTLP requests with what a test asks for."""

from __future__ import annotations

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

START = 1_700_000_000_000_000_000


def span(number: int = 1, **fields: object) -> Span:
    """A good span; `fields` replace its own."""
    good: dict[str, object] = {
        "trace_id": number.to_bytes(16, "big"),
        "span_id": number.to_bytes(8, "big"),
        "name": f"span {number}",
        "start_time_unix_nano": START,
        "end_time_unix_nano": START + 1,
    }
    return Span(**{**good, **fields})  # type: ignore[arg-type]  # any field of the message


def trace_request(*spans: Span) -> ExportTraceServiceRequest:
    """The spans in one resource and one scope."""
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.add(key="service.name").value.string_value = "test"
    scope = resource.scope_spans.add()
    scope.scope.name = "tests"
    scope.spans.extend(spans)
    return request


def log_request(*records: LogRecord) -> ExportLogsServiceRequest:
    """The records in one resource and one scope."""
    request = ExportLogsServiceRequest()
    request.resource_logs.add().scope_logs.add().log_records.extend(records)
    return request


def with_attribute(span: Span, value: AnyValue, *, key: str = "key") -> Span:
    """The span with one more attribute."""
    span.attributes.add(key=key, value=value)
    return span


def nested(depth: int) -> AnyValue:
    """A text inside that many arrays."""
    value = outermost = AnyValue()
    for _ in range(depth):
        value = value.array_value.values.add()
    value.string_value = "innermost"
    return outermost


def broken_text(request: ExportTraceServiceRequest, text: str) -> bytes:
    """The request's bytes with the text, which must occur once, turned into invalid UTF-8."""
    data, needle = request.SerializeToString(), text.encode()
    assert data.count(needle) == 1
    return data.replace(needle, b"\xff" * len(needle))
