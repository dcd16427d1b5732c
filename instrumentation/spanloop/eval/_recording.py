"""Where the spans of an experiment's rows come from and go to."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext

from spanloop import _attributes as names
from spanloop import _context, _runtime
from spanloop._json import DEFAULT_MAX_CHARS
from spanloop._span import start_otel_span
from spanloop._version import __version__

if TYPE_CHECKING:
    from spanloop._light_span import LightSpan

UNSAMPLED = NonRecordingSpan(SpanContext(1, 1, is_remote=False))
"""Current in evals that are not recorded, so that what the task traces is no production call either."""

_random = random.SystemRandom()


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


class Light(Recording):
    """Light spans, straight into the queue to the collector."""

    is_on = True

    def __init__(self, runtime: _runtime.Runtime, experiment_id: str, project: str) -> None:
        from opentelemetry.sdk.util.instrumentation import InstrumentationScope

        assert runtime.delivery is not None
        self.max_chars = runtime.settings.max_value_chars
        self._outbox = runtime.delivery.spans
        self._resource = runtime.provider.resource
        self._scope = InstrumentationScope("spanloop", __version__)
        self._inherited = inherited_attributes(experiment_id, project)
        self._of_scorers = {**self._inherited, names.PURPOSE: "scorer"}
        self._fixed: dict[tuple[str, bool], Mapping[str, str]] = {}
        self._ids = random.Random(_random.getrandbits(128))
        self._lost_before = self._count_lost()

    def start(
        self, name: str, kind: str, parent: trace.Span | None = None, *, is_scorer: bool = False, on_end: Any = None
    ) -> LightSpan:
        from spanloop._light_span import LightSpan

        above = parent if isinstance(parent, LightSpan) else None
        inherited = self._of_scorers if is_scorer else self._inherited
        fixed = self._fixed.get((kind, is_scorer))
        if fixed is None:
            fixed = self._fixed[(kind, is_scorer)] = {**inherited, names.TYPE: kind}
        return LightSpan(
            name,
            fixed,
            inherited,
            trace_id=above.trace_id if above is not None else self._ids.getrandbits(128) or 1,
            span_id=self._ids.getrandbits(64) or 1,
            parent=above,
            resource=self._resource,
            scope=self._scope,
            on_end=on_end,
        )

    def end(self, span: trace.Span) -> None:
        span.end()

    def send(self, spans: Sequence[Any]) -> None:
        from spanloop._encode import Finished

        self._outbox.put(Finished(list(spans)), sum(span.size() for span in spans))

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
    return Light(runtime, experiment_id, project)


def inherited_attributes(experiment_id: str, project: str) -> dict[str, str]:
    """What every span of an experiment carries."""
    attributes = {names.EXPERIMENT_ID: experiment_id}
    return attributes | {names.PROJECT: project} if project else attributes
