"""The span processor: marks spans as ours, adds what the surrounding block says, queues them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor

from spanloop import _attributes as names
from spanloop import _context
from spanloop._encode import BYTES_OF_AN_EMPTY_SPAN, Running, collected_spans, estimated_bytes
from spanloop._failsafe import guarded
from spanloop._fields import merged_json, merged_tags
from spanloop._sampling import Undecided

Put = Callable[[Any, int], None]


class SpanloopProcessor(SpanProcessor):
    """Hands finished spans to `put` with their size, and running ones as well if asked.

    Works in spanloop's own provider and in the application's.
    """

    def __init__(
        self,
        put: Put,
        *,
        sends_running_spans: bool,
        max_value_chars: int,
        keeps_errors: bool = False,
        flush: Callable[[float], bool],
        close: Callable[[], object],
    ) -> None:
        self._put = put
        self._sends_running_spans = sends_running_spans
        self._max_value_chars = max_value_chars
        self._undecided = Undecided() if keeps_errors else None
        self._lock = threading.Lock()  # protects _undecided
        self._flush = flush
        self._close = close

    @guarded
    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        setattr(span, _context.OWNER, self)
        self.started(span, trace.get_current_span(parent_context))

    def started(self, span: Span, above: trace.Span | None) -> None:
        """Gives a new span what the block around it says, and what all spans below `above` have."""
        inherited = getattr(above, _context.INHERITED, None)
        if inherited is not None:
            span.set_attributes(inherited)
            setattr(span, _context.INHERITED, inherited)
        ambient = _context.ambient()
        if ambient is not None:
            self._add(ambient, span)
        if self._sends_running_spans and span.get_span_context().trace_flags.sampled:
            self._put(Running(span), BYTES_OF_AN_EMPTY_SPAN)

    def _add(self, ambient: _context.Ambient, span: Span) -> None:
        """What the span itself says wins over what the block says."""
        own: Mapping[str, Any] = span.attributes or {}
        if ambient.metadata:
            text = merged_json(None, ambient.metadata, self._max_value_chars)
            if names.METADATA in own:
                text = merged_json(text, json.loads(own[names.METADATA]), self._max_value_chars)
            span.set_attribute(names.METADATA, text)
        if ambient.tags:
            span.set_attribute(names.TAGS, merged_tags(ambient.tags, own.get(names.TAGS, ())))

    @guarded
    def on_end(self, span: ReadableSpan) -> None:
        context = span.get_span_context()
        if context is not None and context.trace_flags.sampled:
            self.keep(span, estimated_bytes(span))
        elif self._undecided is not None:
            with self._lock:
                failed = self._undecided.add(span)
            for each in failed:
                self.keep(each, estimated_bytes(each))

    def keep(self, span: ReadableSpan, size: int) -> None:
        """Hands over a span that has ended; `size` is about what it takes in memory."""
        collected = collected_spans.get()
        if collected is not None:
            collected.append(span)
        else:
            self._put(span, size)

    def shutdown(self) -> None:
        guarded(self._close)()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return bool(guarded(self._flush)(timeout_millis / 1000))
