"""A span that costs a tenth of OpenTelemetry's, for the four that every case of an eval has.

It is a span like any other to whoever meets it: current, a parent, something to log on. It is never sampled away,
passes no processors, and writes its own bytes; with masks it goes the ordinary way.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from spanloop._wire import bytes_field, key_values, text_field

UNSET_STATUS = Status()
SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_KIND_INTERNAL = b"\x30\x01"
_FLAGS = b"\x85\x01\x00\x01\x00\x00"  # HAS_IS_REMOTE, and not remote


class LightSpan(Span):
    """Duck-types the SDK's own span, as far as spanloop looks at spans."""

    __slots__ = (
        "_context",
        "_inherited",
        "_on_end",
        "_parent",
        "attributes",
        "end_time",
        "events",
        "fixed",
        "instrumentation_scope",
        "name",
        "resource",
        "span_id",
        "start_time",
        "status",
        "trace_id",
    )

    kind = SpanKind.INTERNAL
    links: tuple[Link, ...] = ()
    dropped_attributes = dropped_events = dropped_links = 0

    def __init__(
        self,
        name: str,
        fixed: Mapping[str, str],
        inherited: Mapping[str, str],
        *,
        trace_id: int,
        span_id: int,
        parent: LightSpan | None,
        resource: Resource,
        scope: InstrumentationScope,
        on_end: Callable[[LightSpan], None] | None = None,
    ) -> None:
        """`fixed` are attributes that many spans share, encoded once; `inherited` those that children get."""
        self._on_end = on_end
        self.name = name
        self.fixed = fixed
        self._inherited = inherited
        self.trace_id, self.span_id, self._parent = trace_id, span_id, parent
        self.resource, self.instrumentation_scope = resource, scope
        self.attributes: dict[str, Any] = {}
        self.events: list[Event] = []
        self.status = UNSET_STATUS
        self.start_time: int = time.time_ns()
        self.end_time: int | None = None
        self._context: SpanContext | None = None

    @property
    def _spanloop_owner(self) -> object:
        """Ours, as `_context.OWNER` says of the SDK's spans."""
        return self

    @property
    def _spanloop_inherited(self) -> Mapping[str, str]:
        """What children are given, as `_context.INHERITED` says."""
        return self._inherited

    @property
    def parent(self) -> SpanContext | None:
        """The parent's ids."""
        return self._parent.get_span_context() if self._parent is not None else None

    def get_span_context(self) -> SpanContext:
        if self._context is None:
            self._context = SpanContext(self.trace_id, self.span_id, False, SAMPLED)
        return self._context

    def is_recording(self) -> bool:
        return self.end_time is None

    def set_attribute(self, key: str, value: Any) -> None:
        self.attributes[key] = value

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        self.attributes.update(attributes)

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        self.status = status if isinstance(status, Status) else Status(status, description)

    def add_event(self, name: str, attributes: Any = None, timestamp: int | None = None) -> None:
        self.events.append(Event(name, attributes, timestamp))

    def record_exception(
        self, exception: BaseException, attributes: Any = None, timestamp: int | None = None, escaped: bool = False
    ) -> None:
        from spanloop._span import record_error

        record_error(self, exception)

    def update_name(self, name: str) -> None:
        self.name = name

    def end(self, end_time: int | None = None) -> None:
        if self.end_time is None:
            self.end_time = end_time or time.time_ns()
            if self._on_end is not None:
                self._on_end(self)

    def whole(self) -> LightSpan:
        """With the fixed attributes among the others, for whoever looks at them as a span's own."""
        self.attributes = {**self.fixed, **self.attributes}
        self.fixed = {}
        return self

    def encoded(self) -> bytes:
        """One `Span` message of OTLP; the usual fields, in the order of their numbers."""
        parts = [
            b"\x0a\x10",
            self.trace_id.to_bytes(16, "big"),
            b"\x12\x08",
            self.span_id.to_bytes(8, "big"),
            b"\x39",
            self.start_time.to_bytes(8, "little"),
            _shared(self.name, tuple(self.fixed.items())),
        ]
        if self._parent is not None:
            parts += (b"\x22\x08", self._parent.span_id.to_bytes(8, "big"))
        if self.end_time:
            parts += (b"\x41", self.end_time.to_bytes(8, "little"))
        for key, value in self.attributes.items():
            parts.append(_attribute(key, value))
        if self.events or self.status is not UNSET_STATUS:
            parts.append(self._encoded_events())
        return b"".join(parts)

    def _encoded_events(self) -> bytes:
        from spanloop._encode import encode_event, encode_status

        events = b"".join(bytes_field(11, encode_event(event)) for event in self.events)
        return events + bytes_field(15, encode_status(self.status))

    def size(self) -> int:
        """About what it takes in memory and on the wire."""
        size = 1000
        for value in self.attributes.values():
            if type(value) is str:
                size += len(value)
        return size


@lru_cache(maxsize=256)
def _shared(name: str, attributes: tuple[tuple[str, str], ...]) -> bytes:
    """What all spans of one name and kind have in common; fields may stand in any order."""
    return text_field(5, name) + _KIND_INTERNAL + key_values(9, dict(attributes)) + _FLAGS


def _attribute(key: str, value: Any) -> bytes:
    """One `KeyValue` field; short texts, which most are, the short way."""
    if type(value) is str:
        head, key_size = _key_part(key)
        encoded = value.encode()
        size = len(encoded)
        if size + key_size < 0x7B:
            return b"\x4a%c%b\x12%c\x0a%c%b" % (key_size + size + 4, head, size + 2, size, encoded)
    return key_values(9, {key: value})


@lru_cache(maxsize=256)
def _key_part(key: str) -> tuple[bytes, int]:
    part = text_field(1, key)
    return part, len(part)
