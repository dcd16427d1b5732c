"""Parents from elsewhere: W3C `traceparent` text, and the headers or message that carry it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from spanloop._failsafe import log

if TYPE_CHECKING:
    from spanloop._span import Span

Parent: TypeAlias = "Span | str | Mapping[str, str] | None"

HEADER = "traceparent"
_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")


def export_traceparent(span: trace.Span) -> str:
    """`00-<trace id>-<span id>-<flags>`, or "" for a span that is not in a trace."""
    context = span.get_span_context()
    if not context.is_valid:
        return ""
    trace_id, span_id = trace.format_trace_id(context.trace_id), trace.format_span_id(context.span_id)
    return f"00-{trace_id}-{span_id}-{context.trace_flags & TraceFlags.SAMPLED:02x}"


def parent_span(source: str | Mapping[str, str] | None) -> trace.Span | None:
    """The span that `source` names, for use as a parent; None, with a line in the log, if it names none."""
    if source is None:
        return None
    text = source if isinstance(source, str) else _from_headers(source)
    if not text:
        return None
    match = _TRACEPARENT.fullmatch(text.strip().lower())
    if match is None or match[1] == "ff":
        log.warning("parent=%r is no W3C traceparent; starting a new trace", text[:100])
        return None
    flags = TraceFlags(int(match[4], 16))
    return NonRecordingSpan(SpanContext(int(match[2], 16), int(match[3], 16), True, flags))


def _from_headers(headers: Mapping[str, str]) -> str:
    """The header's value, whatever its case; "" when it is absent."""
    return next((str(value) for key, value in headers.items() if str(key).lower() == HEADER), "")
