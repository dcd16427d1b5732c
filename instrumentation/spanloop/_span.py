"""Spans as an application sees them: start one, make it current, write row fields on it, end it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import Status, StatusCode

from spanloop import _attributes as names
from spanloop import _context, _runtime
from spanloop._failsafe import guarded, log
from spanloop._fields import UNSET, encodable, fields_as_attributes
from spanloop._json import DEFAULT_MAX_CHARS
from spanloop._otel_span import record_error, span_name, start_otel_span
from spanloop._page import page_of
from spanloop._propagation import Parent, export_traceparent, parent_span


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


def _say_that_nothing_records(otel: trace.Span) -> None:
    """Writing after the end is a mistake worth a line; writing while nothing is traced is not."""
    if getattr(otel, "end_time", None) is not None:
        log.warning("log() on span %r after its end is lost", getattr(otel, "name", ""))
