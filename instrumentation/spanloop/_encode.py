"""Spans as the bytes of an ExportTraceServiceRequest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.sdk.trace import ReadableSpan, Span

from spanloop import _attributes as names

BYTES_OF_AN_EMPTY_SPAN = 1500
BYTES_OF_AN_ATTRIBUTE = 100
BYTES_OF_AN_EVENT = 500


class Running:
    """A span that had not ended when it was queued."""

    __slots__ = ("span",)

    def __init__(self, span: Span) -> None:
        self.span = span


def estimated_bytes(span: ReadableSpan) -> int:
    """About what the span takes in memory and on the wire."""
    size = BYTES_OF_AN_EMPTY_SPAN
    for value in dict(span.attributes or {}).values():
        size += BYTES_OF_AN_ATTRIBUTE
        if type(value) is str:
            size += len(value)
    for event in span.events:
        size += BYTES_OF_AN_EVENT
        for value in (event.attributes or {}).values():
            size += len(value) if isinstance(value, str) else BYTES_OF_AN_ATTRIBUTE
    return size


def encoder(project: str) -> Callable[[Sequence[Any]], bytes]:
    """Encodes batches and sees to it that every resource names the project."""

    def encode(items: Sequence[ReadableSpan | Running]) -> bytes:
        spans = [span for item in items if (span := _to_send(item)) is not None]
        if not spans:
            return b""
        request = encode_spans(spans)
        for each in request.resource_spans:
            _name_project(each.resource.attributes, project)
        return request.SerializeToString()

    return encode


def _to_send(item: ReadableSpan | Running) -> ReadableSpan | None:
    """The span itself, or the present state of one that still runs; None once it has ended."""
    if not isinstance(item, Running):
        return item
    span = item.span
    if span.end_time is not None:
        return None
    return ReadableSpan(
        name=span.name,
        context=span.get_span_context(),
        parent=span.parent,
        resource=span.resource,
        attributes=dict(span.attributes or {}),
        events=span.events,
        links=span.links,
        kind=span.kind,
        status=span.status,
        start_time=span.start_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _name_project(attributes: Any, project: str) -> None:
    """The application's own resource, in a shared provider, cannot name it."""
    if project and not any(each.key == names.PROJECT for each in attributes):
        attributes.append(KeyValue(key=names.PROJECT, value=AnyValue(string_value=project)))
