"""Spans as the bytes of an ExportTraceServiceRequest, written straight in protobuf's wire format.

The SDK's own encoder builds a message object for every attribute, which takes several times as long as
everything else that happens to a span. The fields and their numbers are OTLP's; a test holds the result
equal to what the SDK's encoder gives.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, Span
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, TraceState

from spanloop import _attributes as names
from spanloop._attachments.foreign import lightened
from spanloop._attachments.keeper import Keeper
from spanloop._mask import Mask
from spanloop._own_span import UNSET, OwnSpan
from spanloop._wire import bytes_field, key_values, text_field, varint_field

BYTES_OF_AN_EMPTY_SPAN = 3000  # of memory; on the wire it is a tenth
BYTES_OF_AN_ATTRIBUTE = 100
BYTES_OF_AN_EVENT = 500

HAS_IS_REMOTE = 0x100
IS_REMOTE = 0x200

_EMPTY_STATUS = bytes_field(15, b"")

_fixed64 = struct.Struct("<Q").pack
_fixed32 = struct.Struct("<I").pack


class Deferred:
    """Spans whose last attributes take time to find out: found out by the sender, not by the application."""

    __slots__ = ("_finish", "_spans")

    def __init__(self, finish: Callable[[], None]) -> None:
        self._finish = finish
        self._spans: list[ReadableSpan] | None = None

    def spans(self) -> list[ReadableSpan]:
        """What ended while `finish` ran; it runs once, however often the batch is encoded."""
        if self._spans is None:
            self._spans = []
            token = collected_spans.set(self._spans)
            try:
                self._finish()
            finally:
                collected_spans.reset(token)
        return self._spans


collected_spans: ContextVar[list[ReadableSpan] | None] = ContextVar("spanloop_collected", default=None)
"""Takes the spans that end in a `Deferred`, which are in the queue already."""


class Finished(Deferred):
    """Spans that ended together and are sent together, such as those of one case of an eval."""

    __slots__ = ()

    def __init__(self, spans: list[ReadableSpan]) -> None:
        self._spans = spans


class Running:
    """A span that had not ended when it was queued."""

    __slots__ = ("span",)

    def __init__(self, span: Span) -> None:
        self.span = span


def estimated_bytes(span: ReadableSpan) -> int:
    """About what the span takes in memory and on the wire."""
    # `copy` gives a plain dictionary, which is read ten times faster than the SDK's own mapping.
    values = span.attributes.copy().values()  # type: ignore[union-attr]  # of a span it is never None
    size = BYTES_OF_AN_EMPTY_SPAN + BYTES_OF_AN_ATTRIBUTE * len(values)
    for value in values:
        if type(value) is str:
            size += len(value)
    for event in span.events:
        size += BYTES_OF_AN_EVENT
        for value in (event.attributes or {}).values():
            size += len(value) if isinstance(value, str) else BYTES_OF_AN_ATTRIBUTE
    return size


def encoder(project: str, mask: Mask | None = None, keeper: Keeper | None = None) -> Callable[[Sequence[Any]], bytes]:
    """Encodes batches, masked, without large bytes, and sees to it that every resource names the project."""

    def encode(items: Sequence[ReadableSpan | Running | Deferred]) -> bytes:
        spans = [span for item in items for span in _to_send(item)]
        if mask is not None:
            spans = [mask.span(span) for span in spans]
        if keeper is not None:
            spans = [lightened(span, keeper) for span in spans]
        encoded = b"".join(bytes_field(1, each) for each in _resource_spans(spans, project))
        if keeper is not None:
            keeper.release(encoded)
        return encoded

    return encode


def _to_send(item: ReadableSpan | Running | Deferred) -> Sequence[ReadableSpan]:
    """The span itself, or the present state of one that still runs; nothing once it has ended."""
    if isinstance(item, Deferred):
        return item.spans()
    if isinstance(item, Running):
        return (item.span,) if item.span.end_time is None else ()
    return (item,)


def _resource_spans(spans: Iterable[ReadableSpan], project: str) -> Iterable[bytes]:
    # By identity: to hash a resource means to write all of it as JSON, and even a scope's costs something.
    resources: dict[int, Resource] = {}
    grouped: dict[int, dict[InstrumentationScope | None, list[bytes]]] = defaultdict(lambda: defaultdict(list))
    known: dict[tuple[int, int], list[bytes]] = {}
    for span in spans:
        resource, scope = span.resource, span.instrumentation_scope
        found = known.get((id(resource), id(scope)))
        if found is None:
            resources[id(resource)] = resource
            found = known[id(resource), id(scope)] = grouped[id(resource)][scope]
        found.append(bytes_field(2, encode_span(span)))
    for number, scopes in grouped.items():
        resource = resources[number]
        described = dict(resource.attributes)
        if project:  # the application's own resource, in a shared provider, cannot name it
            described.setdefault(names.PROJECT, project)
        yield b"".join(
            (
                bytes_field(1, key_values(1, described)),
                *(bytes_field(2, _scope_spans(scope, encoded)) for scope, encoded in scopes.items()),
                text_field(3, resource.schema_url),
            )
        )


def _scope_spans(scope: InstrumentationScope | None, spans: list[bytes]) -> bytes:
    if scope is None:
        return b"".join((bytes_field(1, b""), *spans))
    described = text_field(1, scope.name) + text_field(2, scope.version) + key_values(3, scope.attributes or {})
    return b"".join((bytes_field(1, described), *spans, text_field(3, scope.schema_url)))


def encode_span(span: ReadableSpan) -> bytes:
    """One `Span` message."""
    # Ours make their context only when somebody asks for it.
    ids = span if isinstance(span, OwnSpan) else span.get_span_context()
    if ids is None or span.start_time is None:
        raise ValueError("a span without context or start")
    parent = span.parent
    given: Any = span.attributes or {}
    attributes: Mapping[str, Any] = given if type(given) is dict else given.copy()  # see estimated_bytes
    parts = [
        b"\x0a\x10",
        ids.trace_id.to_bytes(16, "big"),
        b"\x12\x08",
        ids.span_id.to_bytes(8, "big"),
        text_field(3, _trace_state(ids.trace_state)),
        b"\x22\x08" + parent.span_id.to_bytes(8, "big") if parent else b"",
        _name_and_kind(span.name, span.kind),
        b"\x39",
        _fixed64(span.start_time),
        b"\x41" + _fixed64(span.end_time) if span.end_time else b"",
        key_values(9, attributes),
        _EMPTY_STATUS if span.status is UNSET or span.status.is_unset else bytes_field(15, encode_status(span.status)),
        b"\x85\x01",
        _fixed32(_flags(parent)),
    ]
    if span.events or span.links or span.dropped_attributes:
        parts += _rare_fields(span)
    return b"".join(parts)


@lru_cache(maxsize=1024)
def _name_and_kind(name: str, kind: SpanKind) -> bytes:
    """The same few come again and again."""
    return text_field(5, name) + varint_field(6, kind.value + 1)


def _rare_fields(span: ReadableSpan) -> Iterator[bytes]:
    yield varint_field(10, span.dropped_attributes)
    for event in span.events:
        yield bytes_field(11, encode_event(event))
    yield varint_field(12, span.dropped_events)
    for link in span.links:
        yield bytes_field(13, _link(link))
    yield varint_field(14, span.dropped_links)


def _trace_state(state: TraceState | None) -> str:
    return ",".join(f"{key}={value}" for key, value in state.items()) if state else ""


def encode_event(event: Event) -> bytes:
    """One `Event` message."""
    return b"".join(
        (
            b"\x09" + _fixed64(event.timestamp),
            text_field(2, event.name),
            key_values(3, event.attributes or {}),
            varint_field(4, event.dropped_attributes),
        )
    )


def _link(link: Link) -> bytes:
    context = link.context
    return b"".join(
        (
            b"\x0a\x10" + context.trace_id.to_bytes(16, "big") + b"\x12\x08" + context.span_id.to_bytes(8, "big"),
            key_values(4, link.attributes or {}),
            varint_field(5, getattr(link, "dropped_attributes", 0)),
            b"\x35" + _fixed32(_flags(context)),
        )
    )


def encode_status(status: Status) -> bytes:
    """One `Status` message."""
    return text_field(2, status.description) + varint_field(3, status.status_code.value)


def _flags(parent: SpanContext | None) -> int:
    return HAS_IS_REMOTE | IS_REMOTE if parent and parent.is_remote else HAS_IS_REMOTE
