"""Which span is the current one, and what every span in a block carries.

By default spanloop has its own tracer provider, and the current span of OpenTelemetry's context belongs
to the application's tracing. So our current span lives in a context variable of our own: neither side
becomes the other's parent. Spans of ours that somebody else made current (an instrumentor that was given
our provider) are found in OpenTelemetry's context as well; the one that became current last wins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context

OWNER = "_spanloop_owner"
"""Attribute our processor puts on each span object it sees; tells ours from other providers' spans."""


class Entry:
    """A span that was made current, and what was current before."""

    __slots__ = ("attached", "previous", "previous_attached", "seen", "span")

    def __init__(self, span: trace.Span, previous: Entry | None) -> None:
        self.span = span
        self.previous = previous
        self.attached: Context | None = None
        self.previous_attached: Context | None = None
        self.seen: trace.Span = span  # OpenTelemetry's current span when this became ours


INHERITED = "_spanloop_inherited"
"""Attribute of a span object: attributes that all spans below it carry too, such as the experiment's id."""

_CARRIED = otel_context.create_key("spanloop-carried")
_CURRENT: ContextVar[Entry | None] = ContextVar("spanloop_current", default=None)
_find: Callable[[Entry | None], trace.Span | None] | None = None
_AMBIENT: ContextVar[Ambient | None] = ContextVar("spanloop_ambient", default=None)


def current(in_context: Context | None = None) -> trace.Span | None:
    """The innermost span of ours, or None."""
    return innermost(trace.get_current_span(in_context))


def innermost(standard: trace.Span) -> trace.Span | None:
    """The same, where OpenTelemetry's current span is known."""
    entry = _CURRENT.get()
    if _find is not None and (found := _find(entry)) is not None:
        return found
    if entry is not None and standard is entry.seen:
        return entry.span
    if standard is not trace.INVALID_SPAN and hasattr(standard, OWNER):
        return standard
    return carried() or (entry.span if entry is not None else None)


def carried(in_context: Context | None = None) -> trace.Span | None:
    """A span of another process that a message brought along, unless one of ours began since."""
    entry = otel_context.get_value(_CARRIED, in_context)
    return entry.span if isinstance(entry, Entry) and entry.previous is _CURRENT.get() else None


def carrying(span: trace.Span, around: Context) -> Context:
    """`around`, in which `span`, of another process, is our current one, and the application's stays its own."""
    return otel_context.set_value(_CARRIED, Entry(span, _CURRENT.get()), around)


def current_entry() -> Entry | None:
    """What is current of ours."""
    return _CURRENT.get()


def set_finder(find: Callable[[Entry | None], trace.Span | None]) -> None:
    """`find` knows a framework's own idea of what is current; given our entry, it says whether its span is newer."""
    global _find
    _find = find


def enter(span: trace.Span, *, is_shared: bool) -> Entry:
    """Makes `span` current; `is_shared` also in OpenTelemetry's own context."""
    entry = Entry(span, _CURRENT.get())
    if is_shared:
        entry.previous_attached = otel_context.get_current()
        entry.attached = trace.set_span_in_context(span, entry.previous_attached)
        otel_context.attach(entry.attached)
    else:
        entry.seen = trace.get_current_span()
    _CURRENT.set(entry)
    return entry


def leave(entry: Entry) -> None:
    """Restores what was current before, if `entry` still is.

    A coroutine or generator may be closed in another task, where something else is current: then there
    is nothing to restore. Resetting by token, the usual way, would raise there.
    """
    if _CURRENT.get() is entry:
        _CURRENT.set(_nearest_not_ended(entry.previous))
    if entry.attached is not None and otel_context.get_current() is entry.attached:
        otel_context.attach(entry.previous_attached or Context())


def _nearest_not_ended(entry: Entry | None) -> Entry | None:
    while entry is not None and getattr(entry.span, "end_time", None) is not None:
        entry = entry.previous
    return entry


class Track:
    """The current span of a generator, which is current only while a step of the generator runs.

    Spans that the generator's own code opened across a `yield` are set aside with it and come back at
    the next step, so they never become the consumer's.
    """

    __slots__ = ("_base", "_before", "_before_attached", "_is_shared", "_top")

    def __init__(self, span: trace.Span, *, is_shared: bool) -> None:
        self._base = self._top = Entry(span, None)
        self._is_shared = is_shared
        self._before: Entry | None = None
        self._before_attached: Context | None = None

    def resume(self) -> None:
        self._before = _CURRENT.get()
        if self._is_shared:
            self._before_attached = otel_context.get_current()
            self._top.attached = trace.set_span_in_context(self._top.span, self._before_attached)
            otel_context.attach(self._top.attached)
        else:
            self._top.seen = trace.get_current_span()
        _CURRENT.set(self._top)

    def suspend(self) -> None:
        top = _CURRENT.get() or self._base  # nothing is current where the step's own span has ended meanwhile
        if not self._is_below(top):
            return
        self._top = top
        _CURRENT.set(self._before)
        if self._before_attached is not None and otel_context.get_current() is top.attached:
            otel_context.attach(self._before_attached)

    def _is_below(self, entry: Entry | None) -> bool:
        while entry is not None and entry is not self._base:
            entry = entry.previous
        return entry is not None


class Ambient:
    """Metadata and tags for all spans that start in a block."""

    __slots__ = ("metadata", "tags")

    def __init__(self, metadata: Mapping[str, Any], tags: tuple[str, ...]) -> None:
        self.metadata = metadata
        self.tags = tags


def ambient() -> Ambient | None:
    return _AMBIENT.get()


def set_ambient(value: Ambient | None) -> None:
    _AMBIENT.set(value)


def set_aside() -> tuple[Entry | None, Context | None]:
    """Makes no span current, until `bring_back` is given what this returns."""
    before = _CURRENT.get()
    _CURRENT.set(None)
    if trace.get_current_span() is trace.INVALID_SPAN:
        return before, None
    attached = otel_context.get_current()
    otel_context.attach(Context())
    return before, attached


def bring_back(token: tuple[Entry | None, Context | None]) -> None:
    before, attached = token
    _CURRENT.set(before)
    if attached is not None:
        otel_context.attach(attached)
