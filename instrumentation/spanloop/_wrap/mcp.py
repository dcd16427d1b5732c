"""Joins a tool call of an MCP server to the span it was asked in, in another process.

OpenInference's instrumentor carries OpenTelemetry's context along with each request. Ours is not in there, so it goes
beside it, under a name of its own. Newer releases of MCP make spans themselves, which go to the application's global
provider; where it has none, they are ours.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

from opentelemetry import propagate, trace
from opentelemetry.context import Context, attach, detach, get_current

from spanloop import _context, _runtime
from spanloop._failsafe import guarded, log
from spanloop._propagation import HEADER, export_traceparent, parent_span
from spanloop._provider import tracer_provider
from spanloop._wrap.imported import when_imported

INSTRUMENTOR = "openinference.instrumentation.mcp"
OWN_TRACING = "mcp.shared._otel"
OURS = "spanloop/traceparent"  # in a request's `_meta`, whose names have such prefixes

Carrier = MutableMapping[str, Any]


def carry_ours(instrumentor: Any) -> None:
    """Called once the instrumentor runs."""
    module: Any = sys.modules.get(INSTRUMENTOR)
    if not hasattr(module, "propagate"):
        log.info("this version of MCP's instrumentor is not known; calls of tools are not joined to their servers")
    else:
        module.propagate = _Propagation()
    when_imported(OWN_TRACING, _join)


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
    span = _context.current() if _has_own_context() else None
    if span is None:
        return
    carrier[OURS] = export_traceparent(span)
    if _traces_for_nobody_else():
        carrier[HEADER] = carrier[OURS]  # for servers that are traced by others


def _below(carrier: Carrier, around: Context) -> Context:
    """The context with the caller's span, which is ours, or somebody's if nobody else here looks after those."""
    if not _has_own_context():
        return around
    span = parent_span(carrier.get(OURS))
    if span is None and _traces_for_nobody_else():
        span = parent_span(carrier)
    return around if span is None else _context.carrying(span, around)


def _has_own_context() -> bool:
    runtime = _runtime.active()
    return runtime is not None and not runtime.is_joined


def _traces_for_nobody_else() -> bool:
    """Whether the application has no provider of its own, so that what MCP traces is ours."""
    return isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


def _join(module: Any) -> None:
    """Gives MCP's own tracing what is ours; its functions look these names up when they are called."""
    ours = _Propagation()
    module.inject, module.extract = ours.inject, ours.extract
    module._tracer = _Tracer(module._tracer)


class _Tracer:
    """What MCP uses of a tracer: the application's, or ours if it has none."""

    def __init__(self, theirs: Any) -> None:
        self._theirs = theirs

    @contextmanager
    def start_as_current_span(self, *args: Any, context: Context | None = None, **kwargs: Any) -> Iterator[Any]:
        """`context` is that of a request that was received."""
        caller = None if context is None else guarded(_context.carried)(context)
        if _traces_for_nobody_else():
            tracer: Any = tracer_provider().get_tracer("mcp-python-sdk")
            above = context if caller is None else trace.set_span_in_context(caller, context)
            with tracer.start_as_current_span(*args, context=above, **kwargs) as span:
                yield span
        else:
            with _current(caller), self._theirs.start_as_current_span(*args, context=context, **kwargs) as span:
                yield span


@contextmanager
def _current(caller: trace.Span | None) -> Iterator[None]:
    """The caller's span is our current one in the block, if there is a caller."""
    token = None if caller is None else attach(_context.carrying(caller, get_current()))
    try:
        yield
    finally:
        if token is not None:
            detach(token)
