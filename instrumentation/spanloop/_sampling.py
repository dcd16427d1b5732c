"""Head sampling: which traces are sent is decided when they start, by their id, and recorded on each span."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind, StatusCode, TraceState, get_current_span
from opentelemetry.util.types import Attributes

from spanloop import _attributes as names
from spanloop._settings import Settings

MAX_UNDECIDED_SPANS = 10_000


def sampler(settings: Settings) -> Sampler | None:
    """The sampler of the settings; None for the one that `OTEL_TRACES_SAMPLER` names, or all traces."""
    if settings.sample_rate is None:
        return None
    return RateSampler(settings.sample_rate, keeps_errors=settings.keep_errors)


class RateSampler(Sampler):
    """Samples a part of the traces; spans follow their parent, also one in another process.

    The id decides, so every process that knows the rate decides the same. `keeps_errors` records the other traces
    as well, without sending them, until it is known whether they failed.
    """

    def __init__(self, rate: float, *, keeps_errors: bool) -> None:
        self._rate = min(max(rate, 0.0), 1.0)
        self._bound = int(self._rate * 2**64)
        self._other = Decision.RECORD_ONLY if keeps_errors else Decision.DROP

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        parent = get_current_span(parent_context).get_span_context()
        is_sampled = parent.trace_flags.sampled if parent.is_valid else trace_id % 2**64 < self._bound
        decision = Decision.RECORD_AND_SAMPLE if is_sampled else self._other
        found = {**(attributes or {}), names.SAMPLE_RATE: self._rate}
        return SamplingResult(decision, found, parent.trace_state if parent.is_valid else None)

    def get_description(self) -> str:
        return f"RateSampler{{{self._rate}}}"


class Undecided:
    """Finished spans of traces that were not sampled, until their local root ends."""

    def __init__(self) -> None:
        self._traces: OrderedDict[int, list[ReadableSpan]] = OrderedDict()
        self._count = 0

    def add(self, span: ReadableSpan) -> Iterable[ReadableSpan]:
        """The spans to send after all: those of a trace that has ended and had an error."""
        context, parent = span.get_span_context(), span.parent
        if context is None:
            return ()
        spans = self._traces.setdefault(context.trace_id, [])
        spans.append(span)
        self._count += 1
        self._forget_oldest()
        if parent is not None and not parent.is_remote:
            return ()
        self._traces.pop(context.trace_id, None)
        self._count -= len(spans)
        return spans if any(each.status.status_code is StatusCode.ERROR for each in spans) else ()

    def _forget_oldest(self) -> None:
        while self._count > MAX_UNDECIDED_SPANS and len(self._traces) > 1:
            _, spans = self._traces.popitem(last=False)
            self._count -= len(spans)
