"""Starts OpenTelemetry spans in our tree, and marks them as failed: what all that is traced has in common."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, Status, StatusCode

from spanloop import _attributes as names
from spanloop import _context, _runtime
from spanloop._fields import encodable, error_text

MAX_NAME_CHARS = 1000

_NOTHING = Context()


def span_name(name: str) -> str:
    """A name that can be encoded and read."""
    return encodable(str(name)[:MAX_NAME_CHARS])


def start_otel_span(
    runtime: _runtime.Runtime,
    name: str,
    attributes: Mapping[str, Any],
    *,
    parent: trace.Span | None = None,
    kind: SpanKind = SpanKind.INTERNAL,
) -> trace.Span:
    """A span in our tree. Unless the tree is shared, the application's own spans are no parents."""
    standard = trace.get_current_span()
    above = parent if parent is not None and parent.get_span_context().is_valid else _context.innermost(standard)
    links = None
    if runtime.own is not None:
        own = runtime.own.start(name, attributes, above, kind, () if above is not None else _links_to(standard))
        if own is not None:
            return own
    if runtime.is_joined:
        around = None if above is None or above is standard else trace.set_span_in_context(above)
    elif above is not None:
        around = trace.set_span_in_context(above, _NOTHING)
    else:
        around, links = _NOTHING, _links_to(standard)
    return runtime.tracer.start_span(name, context=around, kind=kind, attributes=attributes, links=links)


def _links_to(standard: trace.Span) -> tuple[trace.Link, ...]:
    """From our root span to the application's own current span, so that one leads to the other."""
    if standard is trace.INVALID_SPAN or not standard.get_span_context().is_valid:
        return ()
    return (trace.Link(standard.get_span_context()),)


def record_error(otel: trace.Span, error: BaseException) -> None:
    """Status, `spanloop.error` and an exception event, even if the exception cannot show itself."""
    text = error_text(error)
    otel.set_attribute(names.ERROR, text)
    otel.set_status(Status(StatusCode.ERROR, text))
    kind = type(error)
    is_builtin = kind.__module__ == "builtins"
    otel.add_event(
        "exception",
        {
            "exception.type": kind.__qualname__ if is_builtin else f"{kind.__module__}.{kind.__qualname__}",
            "exception.message": text.removeprefix(f"{kind.__name__}: "),
            "exception.stacktrace": encodable("".join(traceback.format_exception(error))),
        },
    )
