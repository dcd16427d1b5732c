"""A tracer provider for instrumentation libraries: their spans and ours form one tree.

Such a library finds its parent in OpenTelemetry's context, where ours are not (see `_context`). The tracers from
here look in both places.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, SpanKind
from opentelemetry.util.types import Attributes

from spanloop import _context, _runtime

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor

    from spanloop._own_span import OwnTracer


def tracer_provider() -> trace.TracerProvider:
    """The provider to give to OpenTelemetry instrumentors, so that their spans join ours.

    Before `init` it is one that records nothing.

        LangChainInstrumentor().instrument(tracer_provider=spanloop.tracer_provider())
    """
    runtime = _runtime.active()
    if runtime is None:
        return trace.NoOpTracerProvider()
    return runtime.provider if runtime.is_joined else NestingTracerProvider(runtime.provider, runtime.own)


class NestingTracerProvider(trace.TracerProvider):
    """Our own provider, with tracers that know our current span."""

    def __init__(self, provider: Any, own: OwnTracer | None) -> None:
        self._provider = provider
        self._own = own

    def add_span_processor(self, processor: SpanProcessor) -> None:
        """Shows our spans to somebody else, who knows the SDK's only."""
        if self._own is not None:
            self._own.leave()
        self._provider.add_span_processor(processor)

    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        schema_url: str | None = None,
        attributes: Attributes = None,
    ) -> trace.Tracer:
        tracer = self._provider.get_tracer(
            instrumenting_module_name, instrumenting_library_version, schema_url, attributes
        )
        return NestingTracer(tracer)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._provider, name)


class NestingTracer(trace.Tracer):
    """Starts spans below the innermost span that is ours or made by such a tracer."""

    def __init__(self, tracer: trace.Tracer) -> None:
        self._tracer = tracer

    def start_span(
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
    ) -> trace.Span:
        around = _below_ours(context)
        return self._tracer.start_span(
            name, around, kind, attributes, links, start_time, record_exception, set_status_on_exception
        )

    @contextmanager
    def start_as_current_span(  # type: ignore[override]  # the base's decorator also allows `async def` functions
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
        end_on_exit: bool = True,
    ) -> Iterator[trace.Span]:
        span = self.start_span(
            name, context, kind, attributes, links, start_time, record_exception, set_status_on_exception
        )
        with trace.use_span(span, end_on_exit, record_exception, set_status_on_exception):
            yield span


def _below_ours(context: Context | None) -> Context:
    """`context` with the span that is to be the parent; the application's own spans are none of ours."""
    standard = trace.get_current_span(context)
    if context is not None and standard.get_span_context().is_remote:
        return context  # handed over on purpose: the caller in another process
    above = _context.innermost(standard)
    return trace.set_span_in_context(above if above is not None else trace.INVALID_SPAN, context)
