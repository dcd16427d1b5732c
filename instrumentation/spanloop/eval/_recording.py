"""Where the spans of an experiment's rows come from and go to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind

from spanloop import _attributes as names
from spanloop import _context, _runtime
from spanloop._json import DEFAULT_MAX_CHARS
from spanloop._otel_span import start_otel_span
from spanloop._version import __version__

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

    from spanloop._own_span import OwnSpan

UNSAMPLED = NonRecordingSpan(SpanContext(1, 1, is_remote=False))
"""Current in evals that are not recorded, so that what the task traces is no production call either."""


class Recording:
    """Rows of one experiment. Also the way of an eval without a collector, where nothing is recorded."""

    is_on = False
    is_shared = False
    """Whether spans are also current for OpenTelemetry itself."""
    max_chars = DEFAULT_MAX_CHARS

    def start(self, name: str, kind: str, parent: trace.Span | None = None, *, is_scorer: bool = False) -> trace.Span:
        """A span of the experiment, below `parent`; not current yet."""
        return UNSAMPLED

    def end(self, span: trace.Span) -> None:
        """Ends a span that `send` will send."""

    def send(self, spans: Sequence[trace.Span]) -> None:
        """Hands over spans that ended."""

    def fullness(self) -> float:
        """The part of the queue to the collector that is taken."""
        return 0.0

    def lost(self) -> int:
        """Rows that did not reach the collector so far."""
        return 0


class ThroughTracer(Recording):
    """Ordinary spans, through the tracer: in tests that capture spans, and in an application's own provider."""

    is_on = True

    def __init__(self, runtime: _runtime.Runtime, experiment_id: str, project: str) -> None:
        self.max_chars = runtime.settings.max_value_chars
        self.is_shared = runtime.is_joined
        self._runtime = runtime
        self._inherited = inherited_attributes(experiment_id, project)

    def start(self, name: str, kind: str, parent: trace.Span | None = None, *, is_scorer: bool = False) -> trace.Span:
        inherited = {**self._inherited, names.PURPOSE: "scorer"} if is_scorer else self._inherited
        # A root of its own: an experiment's rows are no part of whatever trace the eval was started in.
        above = parent if parent is not None else trace.INVALID_SPAN
        with _apart(above):
            span = start_otel_span(self._runtime, name, {**inherited, names.TYPE: kind}, parent=parent)
        setattr(span, _context.INHERITED, inherited)
        return span

    def end(self, span: trace.Span) -> None:
        span.end()

    def lost(self) -> int:
        delivery = self._runtime.delivery
        stats = delivery.stats() if delivery is not None else None
        return stats.dropped + stats.refused if stats is not None else 0


class _apart:
    """No span is current in the block, unless there is a parent anyway."""

    def __init__(self, parent: trace.Span) -> None:
        self._is_root = parent is trace.INVALID_SPAN

    def __enter__(self) -> None:
        if self._is_root:
            self._token = _context.set_aside()

    def __exit__(self, *error: object) -> None:
        if self._is_root:
            _context.bring_back(self._token)


class _Owner:
    """Of spans that are sent together, with others, by whoever started them."""

    def __init__(self, resource: Resource, scope: InstrumentationScope, on_end: Callable[[Any], None] | None) -> None:
        self.resource = resource
        self.scope = scope
        self._on_end = on_end

    def ended(self, span: OwnSpan) -> None:
        if self._on_end is not None:
            self._on_end(span)


class Direct(Recording):
    """Spans straight into the queue to the collector: never sampled away, and past all processors."""

    is_on = True

    def __init__(self, runtime: _runtime.Runtime, experiment_id: str, project: str) -> None:
        from opentelemetry.sdk.util.instrumentation import InstrumentationScope

        from spanloop._encode import Finished
        from spanloop._own_span import OwnSpan

        assert runtime.delivery is not None
        self._new_span, self._together = OwnSpan, Finished
        self.max_chars = runtime.settings.max_value_chars
        self._outbox = runtime.delivery.spans
        self._resource = runtime.provider.resource
        self._scope = InstrumentationScope("spanloop", __version__)
        self._owner = _Owner(self._resource, self._scope, None)
        self._inherited = inherited_attributes(experiment_id, project)
        self._of_scorers = {**self._inherited, names.PURPOSE: "scorer"}
        self._lost_before = self._count_lost()

    def start(
        self,
        name: str,
        kind: str,
        parent: trace.Span | None = None,
        *,
        is_scorer: bool = False,
        on_end: Callable[[Any], None] | None = None,
    ) -> OwnSpan:
        inherited = self._of_scorers if is_scorer else self._inherited
        owner = self._owner if on_end is None else _Owner(self._resource, self._scope, on_end)
        span = self._new_span(owner, name, {**inherited, names.TYPE: kind}, parent, SpanKind.INTERNAL, ())
        span._spanloop_inherited = inherited
        return span

    def end(self, span: trace.Span) -> None:
        span.end()

    def send(self, spans: Sequence[Any]) -> None:
        self._outbox.put(self._together(list(spans)), sum([span.size() for span in spans]))

    def fullness(self) -> float:
        return self._outbox.fullness()

    def lost(self) -> int:
        return self._count_lost() - self._lost_before

    def _count_lost(self) -> int:
        stats = self._outbox.stats()
        return stats.dropped + stats.refused


def recording(experiment_id: str, project: str) -> Recording:
    """What records an experiment with the runtime that is active."""
    runtime = _runtime.active()
    if runtime is None:
        return Recording()
    if runtime.delivery is None or runtime.is_joined:
        return ThroughTracer(runtime, experiment_id, project)
    return Direct(runtime, experiment_id, project)


def inherited_attributes(experiment_id: str, project: str) -> dict[str, str]:
    """What every span of an experiment carries."""
    attributes = {names.EXPERIMENT_ID: experiment_id}
    return attributes | {names.PROJECT: project} if project else attributes
