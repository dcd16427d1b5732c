"""The spans of our own provider and of evals, at a fraction of what the SDK's cost.

To whoever meets one it is a span like any other: it can be current, a parent, logged on, read by processors' code.
It is used where nothing but us looks at spans and all of them are sent; otherwise, in the application's provider, with
samplers or further processors, spans are the SDK's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import time_ns
from typing import TYPE_CHECKING, Any, Protocol

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

from spanloop._failsafe import guarded
from spanloop._ids import new_span_id, new_trace_id

if TYPE_CHECKING:
    from spanloop._processor import SpanloopProcessor

SAMPLED = TraceFlags(TraceFlags.SAMPLED | 0x02)  # and the trace id is random: W3C Trace Context, level 2
BYTES_OF_AN_EMPTY_SPAN = 900
BYTES_OF_AN_ATTRIBUTE = 100
BYTES_OF_AN_EVENT = 500
MAX_EVENTS = 128  # as in the SDK; beyond it the oldest go

UNSET = Status()
_NO_STATE = TraceState()


class Owner(Protocol):
    """Who starts such spans."""

    resource: Resource
    scope: InstrumentationScope

    def ended(self, span: OwnSpan) -> None:
        """Is told of each when it has ended."""


class OwnSpan(trace.Span):
    """A span that is recorded and will be sent."""

    __slots__ = (
        "_context",
        "_owner",
        "_spanloop_inherited",
        "attributes",
        "dropped_events",
        "end_time",
        "events",
        "kind",
        "links",
        "name",
        "parent",
        "span_id",
        "start_time",
        "status",
        "trace_flags",
        "trace_id",
        "trace_state",
    )

    _spanloop_owner = True  # says what `_context.OWNER` says of the SDK's spans
    _spanloop_inherited: Mapping[str, Any]  # see `_context.INHERITED`
    dropped_attributes = dropped_links = 0

    def __init__(
        self,
        owner: Owner,
        name: str,
        attributes: dict[str, Any],
        above: trace.Span | None,
        kind: SpanKind,
        links: Sequence[Link],
    ) -> None:
        """`above` is the parent, valid and sampled; `attributes` are the span's from now on."""
        self._owner = owner
        self._context: SpanContext | None = None
        self.name = name
        self.attributes = attributes
        self.kind = kind
        self.links = links
        self.events: Sequence[Event] = ()
        self.dropped_events = 0
        self.status = UNSET
        self.end_time: int | None = None
        self.span_id = new_span_id()
        if above is None:
            self.parent: SpanContext | None = None
            self.trace_id, self.trace_flags, self.trace_state = new_trace_id(), SAMPLED, _NO_STATE
        else:  # its ids, not itself: what waits to be sent must not hold all that is above it
            self.parent = origin = above.get_span_context()
            self.trace_id, self.trace_flags, self.trace_state = origin.trace_id, origin.trace_flags, origin.trace_state
        self.start_time: int | None = time_ns()

    # What the SDK's spans offer to read.

    def get_span_context(self) -> SpanContext:
        """The ids; made when first asked for."""
        if self._context is None:
            self._context = SpanContext(self.trace_id, self.span_id, False, self.trace_flags, self.trace_state)
        return self._context

    context = property(get_span_context)

    @property
    def resource(self) -> Resource:
        return self._owner.resource

    @property
    def instrumentation_scope(self) -> InstrumentationScope:
        return self._owner.scope

    def is_recording(self) -> bool:
        return self.end_time is None

    # What they offer to write; nothing after the end.

    def set_attribute(self, key: str, value: Any) -> None:
        if self.end_time is None:
            self.attributes[key] = value

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        if self.end_time is None:
            self.attributes.update(attributes)

    def add_event(self, name: str, attributes: Any = None, timestamp: int | None = None) -> None:
        if self.end_time is None:
            self.dropped_events += len(self.events) >= MAX_EVENTS
            self.events = (*self.events[1 - MAX_EVENTS :], Event(name, attributes, timestamp or time_ns()))

    def add_link(self, context: SpanContext, attributes: Any = None) -> None:
        if self.end_time is None:
            self.links = (*self.links, Link(context, attributes))

    def update_name(self, name: str) -> None:
        if self.end_time is None:
            self.name = name

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        """A status of OK is final, as the specification has it."""
        new = status if isinstance(status, Status) else Status(status, description)
        if self.end_time is None and self.status.status_code is not StatusCode.OK and not new.is_unset:
            self.status = new

    def record_exception(
        self, exception: BaseException, attributes: Any = None, timestamp: int | None = None, escaped: bool = False
    ) -> None:
        from spanloop._otel_span import record_error

        record_error(self, exception)

    def end(self, end_time: int | None = None) -> None:
        if self.end_time is None:
            self.end_time = end_time or time_ns()
            self._owner.ended(self)

    def size(self) -> int:
        """About what it takes in memory; on the wire it is less."""
        size = BYTES_OF_AN_EMPTY_SPAN + BYTES_OF_AN_ATTRIBUTE * len(self.attributes)
        for value in self.attributes.values():
            if type(value) is str:
                size += len(value)
        for event in self.events:
            size += BYTES_OF_AN_EVENT
            for value in (event.attributes or {}).values():
                size += len(value) if isinstance(value, str) else BYTES_OF_AN_ATTRIBUTE
        return size


class OwnTracer:
    """Starts such spans, and hands them over when they end."""

    def __init__(self, processor: SpanloopProcessor, resource: Resource, scope: InstrumentationScope) -> None:
        self.resource = resource
        self.scope = scope
        self._processor = processor
        self._is_left = False

    def leave(self) -> None:
        """Leaves all further spans to the SDK: somebody else wants to see them."""
        self._is_left = True

    def start(
        self, name: str, attributes: Mapping[str, Any], above: trace.Span | None, kind: SpanKind, links: Sequence[Link]
    ) -> OwnSpan | None:
        """A span below `above`; None where it is the SDK's to decide what becomes of it."""
        if self._is_left or not (above is None or type(above) is OwnSpan or _is_sampled(above)):
            return None
        span = OwnSpan(self, name, dict(attributes), above, kind, links)
        self._processor.started(span, above)  # type: ignore[arg-type]  # it looks like the SDK's
        return span

    @guarded
    def ended(self, span: OwnSpan) -> None:
        self._processor.keep(span, span.size())  # type: ignore[arg-type]  # as above


def _is_sampled(span: trace.Span) -> bool:
    return span.get_span_context().trace_flags.sampled
