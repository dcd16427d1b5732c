"""Joins LangChain's runs, which OpenInference's instrumentor records from callbacks, to the code that they run.

Callbacks cannot make a span current. LangChain itself says in a context variable which run the code belongs to, so
that is where we look; a model's own run is noted when it begins, and what its cache answers costs nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from spanloop import _context
from spanloop._failsafe import guarded, log
from spanloop._span import Span
from spanloop._wrap.endpoint import read
from spanloop._wrap.host import note_run

MARK = "_spanloop_joined"
MODEL_RUNS = ("llm", "chat_model")

_entries: dict[Any, _context.Entry | None] = {}  # by run: what was current when it began


def join_runs(instrumentor: Any) -> None:
    """Called once the instrumentor runs."""
    tracer = getattr(instrumentor, "_tracer", None)
    kind: Any = type(tracer)
    if not all(hasattr(kind, name) for name in ("_start_trace", "_end_trace", "get_span")):
        log.info("this version of LangChain's instrumentor is not known; its runs are not joined to ours")
        return
    if not hasattr(kind, MARK):
        # In asynchronous code callbacks otherwise run in a thread, from where nothing can be noted.
        kind.run_inline = True
        kind._start_trace = _starting(kind._start_trace)
        kind._end_trace = _ending(kind._end_trace)
        setattr(kind, MARK, True)
    _context.set_finder(lambda entry: _run_around(tracer, entry))


def _starting(start: Callable[..., None]) -> Callable[..., None]:
    def start_and_note(tracer: Any, run: Any) -> None:
        start(tracer, run)
        guarded(_note)(tracer, run)

    return start_and_note


def _note(tracer: Any, run: Any) -> None:
    _entries[run.id] = _context.current_entry()
    span = tracer.get_span(run.id)
    if span is not None and run.run_type in MODEL_RUNS:
        note_run(span, "LLM")


def _ending(end: Callable[..., None]) -> Callable[..., None]:
    def forget_and_end(tracer: Any, run: Any) -> None:
        _entries.pop(run.id, None)
        guarded(_settle_if_cached)(tracer, run)
        end(tracer, run)

    return forget_and_end


def _settle_if_cached(tracer: Any, run: Any) -> None:
    """An answer from LangChain's own cache repeats what the first one used: nobody was asked, nothing is owed."""
    if run.run_type not in MODEL_RUNS:
        return
    batches = read(run, "outputs", "generations") or ()
    messages = [message for batch in batches for each in batch if (message := read(each, "message", "kwargs"))]
    if not any(read(each, "usage_metadata", "total_cost") == 0 for each in messages):
        return
    for each in messages:  # the tracer's own copies
        del each["usage_metadata"]
    span = tracer.get_span(run.id)
    if span is not None:
        Span(span).log(metadata={"cache_hit": True})


def _run_around(tracer: Any, entry: _context.Entry | None) -> Any:
    """The span of the chain's or tool's run that this code is in, unless a span of ours began inside it."""
    module: Any = sys.modules.get("langchain_core.runnables.config")
    config = module.var_child_runnable_config.get() if module is not None else None
    run_id = getattr(config.get("callbacks"), "parent_run_id", None) if isinstance(config, dict) else None
    if run_id is None or run_id not in _entries or _entries[run_id] is not entry:
        return None
    span = tracer.get_span(run_id)
    return span if span is not None and span.is_recording() else None
