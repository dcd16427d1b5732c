"""Joins a tool call of an MCP server to the span it was asked in, in another process.

OpenInference's instrumentor carries OpenTelemetry's context along with each request. Ours is not in there, so both ends
get it from us. Newer releases of MCP do that themselves, with spans that go to the application's global provider; where
it has none, they are ours.
"""

from __future__ import annotations

import sys
from collections.abc import MutableMapping
from contextlib import AbstractContextManager
from typing import Any

from opentelemetry import propagate, trace
from opentelemetry.context import Context

from spanloop import _context, _runtime
from spanloop._failsafe import guarded, log
from spanloop._propagation import HEADER, export_traceparent, parent_span
from spanloop._provider import tracer_provider
from spanloop._wrap.imported import when_imported

INSTRUMENTOR = "openinference.instrumentation.mcp"
OWN_TRACING = "mcp.shared._otel"

Carrier = MutableMapping[str, Any]


def carry_ours(instrumentor: Any) -> None:
    """Called once the instrumentor runs."""
    module: Any = sys.modules.get(INSTRUMENTOR)
    if not hasattr(module, "propagate"):
        log.info("this version of MCP's instrumentor is not known; calls of tools are not joined to their servers")
    else:
        module.propagate = _Propagation()
    when_imported(OWN_TRACING, _give_tracer)


class _Propagation:
    """What the instrumentor uses of `opentelemetry.propagate`, with our current span beside all else in the context."""

    def get_global_textmap(self) -> _Propagation:
        return self

    def inject(self, carrier: Carrier) -> None:
        propagate.inject(carrier)
        guarded(_inject)(carrier)

    def extract(self, carrier: Carrier) -> Context:
        around = propagate.extract(carrier)
        return guarded(_below)(carrier, around) or around


def _inject(carrier: Carrier) -> None:
    """Unless the application's own tracing speaks there."""
    span = _context.current() if _has_own_context() and HEADER not in carrier else None
    if span is not None:
        carrier[HEADER] = export_traceparent(span)


def _below(carrier: Carrier, around: Context) -> Context:
    """The context with the caller's span, marked as one of ours."""
    span = parent_span(carrier) if _has_own_context() else None
    if span is None:
        return around
    setattr(span, _context.OWNER, True)
    return trace.set_span_in_context(span, around)


def _has_own_context() -> bool:
    runtime = _runtime.active()
    return runtime is not None and not runtime.is_joined


def _give_tracer(module: Any) -> None:
    module._tracer = _Tracer(module._tracer)


class _Tracer:
    """What MCP uses of a tracer: the application's, or ours if it has none."""

    def __init__(self, theirs: Any) -> None:
        self._theirs = theirs

    def start_as_current_span(self, *args: Any, **kwargs: Any) -> AbstractContextManager[Any]:
        is_nobodys = isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)
        tracer = tracer_provider().get_tracer("mcp-python-sdk") if is_nobodys else self._theirs
        started: AbstractContextManager[Any] = tracer.start_as_current_span(*args, **kwargs)
        return started
