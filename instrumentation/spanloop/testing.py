"""Captures spans in tests, yours and ours, with nothing sent anywhere.

In pytest, ask for the fixture (installed with spanloop):

    def test_answer(captured_spans):
        answer("why?")
        assert captured_spans.tree() == [
            {"name": "answer", "type": "function", "input": {"question": "why?"}, "output": "because"}
        ]

Elsewhere, `with spanloop.testing.capture() as spans:` does the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from spanloop import _attributes as names
from spanloop import _runtime, _settings
from spanloop._attachments.foreign import lightened
from spanloop._attachments.keeper import Keeper, Upload
from spanloop._rows.queue import Queued, fields_of
from spanloop._rows.queue import masked as masked_row

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

    from spanloop._mask import Mask

JSON_FIELDS = {
    "input": names.INPUT,
    "output": names.OUTPUT,
    "expected": names.EXPECTED,
    "scores": names.SCORES,
    "metadata": names.METADATA,
    "metrics": names.METRICS,
}
PLAIN_FIELDS = {"type": names.TYPE, "error": names.ERROR}

MAX_ATTACHMENT_BYTES = 1 << 30

Row = dict[str, Any]


@dataclass(frozen=True)
class CapturedSpan:
    """A finished span, its attributes read back into row fields."""

    name: str
    span_id: str
    trace_id: str
    parent_id: str
    """Empty for a root span."""
    fields: Row
    """Row fields that are set: type, input, output, expected, error, scores, metadata, metrics, tags."""
    attributes: dict[str, Any]
    """All other attributes, for example the `gen_ai.*` ones."""
    events: tuple[str, ...]
    """Names of the span's events."""
    otel: ReadableSpan = field(repr=False, compare=False)
    """The OpenTelemetry span itself."""


class Capture:
    """The spans finished so far, in the order in which they ended."""

    def __init__(self) -> None:
        self.spans: list[CapturedSpan] = []
        self.rows: list[Row] = []
        """Rows and feedback written without a span, piece by piece as they were logged."""
        self.attachments: dict[str, bytes] = {}
        """The bytes that spans refer to, by key."""
        self._mask: Mask | None = None
        self._keeper = Keeper(
            self._take,
            drop=lambda count: None,
            max_bytes=MAX_ATTACHMENT_BYTES,
            max_attachment_bytes=MAX_ATTACHMENT_BYTES,
        )

    def _take(self, upload: Upload, size: int) -> None:
        self.attachments[upload.key] = upload.data

    def clear(self) -> None:
        self.spans.clear()
        self.rows.clear()

    def find(self, name: str) -> CapturedSpan:
        """The one span of that name; fails when there is none, or more than one."""
        found = [span for span in self.spans if span.name == name]
        if len(found) != 1:
            raise AssertionError(f"{len(found)} spans named {name!r} among {[s.name for s in self.spans]}")
        return found[0]

    def tree(self, *, attributes: bool = False) -> list[Row]:
        """Root spans as dictionaries of their set fields, with `children` in the order of their start.

        `attributes=True` adds the attributes that are not row fields.
        """
        ids = {span.span_id for span in self.spans}
        return self._below(lambda span: span.parent_id not in ids, attributes)

    def _below(self, is_wanted: Any, attributes: bool) -> list[Row]:
        started = sorted(self.spans, key=lambda span: span.otel.start_time or 0)
        return [self._row(span, attributes) for span in started if is_wanted(span)]

    def _row(self, span: CapturedSpan, attributes: bool) -> Row:
        row: Row = {"name": span.name, **span.fields}
        if attributes and span.attributes:
            row["attributes"] = span.attributes
        if children := self._below(lambda each: each.parent_id == span.span_id, attributes):
            row["children"] = children
        return row

    def _put_row(self, item: Queued, size: int) -> None:
        self.rows.append(masked_row(fields_of(item), self._mask))

    def _put(self, span: Any, size: int) -> None:
        if hasattr(span, "get_span_context"):
            masked = self._mask.span(span) if self._mask else span
            seen = lightened(masked, self._keeper)
            self.spans.append(_captured(seen))
            self._keeper.release("\n".join(map(str, (seen.attributes or {}).values())).encode())


def _captured(span: ReadableSpan) -> CapturedSpan:
    context = span.get_span_context()
    rest: dict[str, Any] = dict(span.attributes or {})
    fields: Row = {key: rest.pop(name) for key, name in PLAIN_FIELDS.items() if name in rest}
    fields |= {key: json.loads(rest.pop(name)) for key, name in JSON_FIELDS.items() if name in rest}
    if names.TAGS in rest:
        fields["tags"] = list(rest.pop(names.TAGS))
    return CapturedSpan(
        name=span.name,
        span_id=f"{context.span_id:016x}" if context else "",
        trace_id=f"{context.trace_id:032x}" if context else "",
        parent_id=f"{span.parent.span_id:016x}" if span.parent else "",
        fields=fields,
        attributes=rest,
        events=tuple(event.name for event in span.events),
        otel=span,
    )


class TickingClock:
    """A clock on which a second passes each time somebody looks."""

    def __init__(self) -> None:
        self._seconds = 0.0

    def __call__(self) -> float:
        self._seconds += 1.0
        return self._seconds


@contextmanager
def capture(settings: Mapping[str, Any] | None = None) -> Iterator[Capture]:
    """Traces into a list for the length of the block, whatever was set up before.

    `spanloop.init` inside the block changes nothing. `settings` takes the arguments of `init`.

        with spanloop.testing.capture() as spans:
            answer("why?")
        assert spans.find("answer").fields["output"] == "because"
    """
    captured = Capture()
    former = _runtime.swap(_runtime_into(captured, settings or {}))
    try:
        yield captured
    finally:
        _runtime.swap(former)


def _runtime_into(captured: Capture, arguments: Mapping[str, Any]) -> _runtime.Runtime:
    from spanloop import _setup
    from spanloop._mask import make_mask
    from spanloop._processor import SpanloopProcessor

    settings, problems = _settings.resolve(arguments, environ={})
    if problems:
        raise ValueError("; ".join(problems))
    provider = _setup.own_provider(settings)
    captured._mask = mask = make_mask(settings)
    processor = SpanloopProcessor(
        captured._put,
        sends_running_spans=False,
        max_value_chars=settings.max_value_chars,
        keeps_errors=settings.keep_errors,
        flush=lambda timeout_seconds: True,
        close=lambda: None,
    )
    provider.add_span_processor(processor)
    own = _setup.own_tracer(settings, provider, processor)
    tracer = provider.get_tracer("spanloop")
    return _runtime.Runtime(
        settings,
        tracer,
        provider,
        False,
        None,
        mask=mask,
        attachments=captured._keeper,
        own=own,
        put_row=captured._put_row,
        clock=TickingClock(),
    )
