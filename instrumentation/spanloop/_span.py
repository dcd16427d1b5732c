"""Spans as an application sees them: start one, make it current, write row fields on it, end it."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, Status, StatusCode

from spanloop import _attributes as names
from spanloop import _context, _runtime
from spanloop._failsafe import guarded, log
from spanloop._fields import UNSET, encodable, error_text, fields_as_attributes
from spanloop._json import DEFAULT_MAX_CHARS
from spanloop._page import page_of
from spanloop._propagation import Parent, export_traceparent, parent_span

MAX_NAME_CHARS = 1000

_NOTHING = Context()


class Span:
    """A handle to one span; any number of handles write to the same row.

    As a context manager, sync or async, it is the current span inside the block, ends with it, and
    records an exception that leaves it. Without `with`, call `end`.
    """

    __slots__ = ("_entry", "_otel")

    def __init__(self, otel: trace.Span) -> None:
        self._otel = otel
        self._entry: _context.Entry | None = None

    @property
    def span_id(self) -> str:
        """16 hexadecimal digits; zeros when nothing is being traced."""
        return trace.format_span_id(self._otel.get_span_context().span_id)

    @property
    def trace_id(self) -> str:
        """32 hexadecimal digits; zeros when nothing is being traced."""
        return trace.format_trace_id(self._otel.get_span_context().trace_id)

    @property
    def is_recording(self) -> bool:
        """Whether what is logged now will be kept: started, sampled and not ended."""
        return self._otel.is_recording()

    @guarded
    def log(
        self,
        *,
        input: object = UNSET,
        output: object = UNSET,
        expected: object = UNSET,
        error: object = None,
        scores: Mapping[str, float | None] | None = None,
        metadata: Mapping[str, Any] | None = None,
        metrics: Mapping[str, float] | None = None,
        tags: Iterable[str] | None = None,
    ) -> None:
        """Writes fields of the span's row; call it as often as there is something to add.

        A later `input`, `output`, `expected` or `error` replaces the former; scores, metadata, metrics
        and tags are merged. Scores go from 0 to 1. Nothing is raised: what cannot be written is said in
        the log.

            spanloop.current_span().log(output=answer, scores={"helpful": 0.8}, tags=["beta"])
        """
        otel = self._otel
        if not otel.is_recording():
            _say_that_nothing_records(otel)
            return
        runtime = _runtime.active()
        written = fields_as_attributes(
            getattr(otel, "attributes", None) or {},
            runtime.settings.max_value_chars if runtime else DEFAULT_MAX_CHARS,
            input=input,
            output=output,
            expected=expected,
            error=error,
            scores=scores,
            metadata=metadata,
            metrics=metrics,
            tags=tags,
        )
        if written:
            otel.set_attributes(written)
        if names.ERROR in written:
            otel.set_status(Status(StatusCode.ERROR, written[names.ERROR]))

    def start_span(
        self,
        name: str,
        *,
        type: str | None = None,
        input: object = UNSET,
        metadata: Mapping[str, Any] | None = None,
        tags: Iterable[str] | None = None,
    ) -> Span:
        """A child of this span, wherever the call comes from, for example from another thread.

        with span.start_span("retrieve", type="tool") as child: ...
        """
        return start_span(name, type=type, input=input, metadata=metadata, tags=tags, parent=self)

    def export(self) -> str:
        """The span as a W3C `traceparent`, for `parent=` in another process; "" if nothing is traced.

        queue.send(job, traceparent=spanloop.current_span().export())
        """
        return guarded(export_traceparent)(self._otel) or ""

    def permalink(self) -> str:
        """The span's page, for people; "" if nothing is traced.

        print(span.permalink())
        """
        return guarded(page_of)(self._otel) or ""

    def log_feedback(
        self,
        *,
        scores: Mapping[str, float | None] | None = None,
        expected: object = UNSET,
        tags: Iterable[str] | None = None,
        comment: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        source: str = "app",
    ) -> None:
        """`spanloop.log_feedback` about this span, also after its end.

        span.log_feedback(scores={"thumbs": 1.0}, comment="just right")
        """
        from spanloop._feedback import log_feedback

        log_feedback(
            self, scores=scores, expected=expected, tags=tags, comment=comment, metadata=metadata, source=source
        )

    @guarded
    def end(self) -> None:
        """Ends the span; what is logged afterwards is lost. A second call does nothing."""
        if self._otel.is_recording():
            self._otel.end()

    @guarded
    def record_error(self, error: BaseException) -> None:
        """Marks the span as failed by `error`, with its stack trace.

        except TimeoutError as error: span.record_error(error)
        """
        record_error(self._otel, error)

    def __enter__(self) -> Span:
        self._make_current()
        return self

    @guarded
    def _make_current(self) -> None:
        runtime = _runtime.active()
        if runtime is not None and self._otel.get_span_context().is_valid:
            self._entry = _context.enter(self._otel, is_shared=runtime.is_joined)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace_back: TracebackType | None,
    ) -> None:
        if error is not None and not isinstance(error, GeneratorExit):
            self.record_error(error)
        self._leave()
        self.end()

    @guarded
    def _leave(self) -> None:
        entry, self._entry = self._entry, None
        if entry is not None:
            _context.leave(entry)

    async def __aenter__(self) -> Span:
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace_back: TracebackType | None,
    ) -> None:
        self.__exit__(kind, error, trace_back)


NOOP_SPAN = Span(trace.INVALID_SPAN)
"""What `current_span` and `start_span` return when nothing is traced; accepts every call."""


def current_span() -> Span:
    """The span this code runs in; one that ignores everything if there is none.

    spanloop.current_span().log(metadata={"customer": "acme"})
    """
    otel = guarded(_context.current)() if _runtime.active() is not None else None
    return Span(otel) if otel is not None else NOOP_SPAN


def start_span(
    name: str,
    *,
    type: str | None = None,
    input: object = UNSET,
    metadata: Mapping[str, Any] | None = None,
    tags: Iterable[str] | None = None,
    parent: Parent = None,
) -> Span:
    """Starts a span below the current one, or below `parent`: a span, a `traceparent`, or HTTP headers.

    `type` says what it is: llm, task, tool, function, score, eval, …

        with spanloop.start_span("retrieve", type="tool", input=query) as span:
            span.log(output=search(query))
    """
    return guarded(_start)(name, type, input, metadata, tags, parent) or NOOP_SPAN


def _start(
    name: str,
    type: str | None,
    input: object,
    metadata: Mapping[str, Any] | None,
    tags: Iterable[str] | None,
    parent: Parent,
) -> Span | None:
    runtime = _runtime.active()
    if runtime is None:
        return None
    attributes = fields_as_attributes({}, runtime.settings.max_value_chars, input=input, metadata=metadata, tags=tags)
    if type:
        attributes[names.TYPE] = encodable(type)
    above = parent._otel if isinstance(parent, Span) else parent_span(parent)
    return Span(start_otel_span(runtime, span_name(name), attributes, parent=above))


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


def _say_that_nothing_records(otel: trace.Span) -> None:
    """Writing after the end is a mistake worth a line; writing while nothing is traced is not."""
    if getattr(otel, "end_time", None) is not None:
        log.warning("log() on span %r after its end is lost", getattr(otel, "name", ""))
