"""Notes the model calls that OpenInference's instrumentor of LlamaIndex records.

It knows at the start what a span is about, but writes it on the span at the end.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from spanloop._failsafe import guarded, log
from spanloop._wrap.host import note_run

HANDLERS = "openinference.instrumentation.llama_index._handler"
MARK = "_spanloop_joined"


def note_runs(instrumentor: Any) -> None:
    """Called once the instrumentor runs."""
    kind: Any = getattr(sys.modules.get(HANDLERS), "_SpanHandler", None)
    if not hasattr(kind, "new_span"):
        log.info("this version of LlamaIndex's instrumentor is not known; its model calls may be recorded twice")
    elif not hasattr(kind, MARK):
        kind.new_span = _noting(kind.new_span)
        setattr(kind, MARK, True)


def _noting(new_span: Callable[..., Any]) -> Callable[..., Any]:
    def begin_and_note(*args: Any, **kwargs: Any) -> Any:
        span = new_span(*args, **kwargs)
        guarded(_note)(span)
        return span

    return begin_and_note


def _note(span: Any) -> None:
    kind, otel = getattr(span, "_span_kind", None), getattr(span, "_otel_span", None)
    if kind is not None and otel is not None:
        note_run(otel, str(getattr(kind, "value", kind)))
