"""Finds the span by which a framework's instrumentor records the call that one of our wrappers is about to make.

Both describe one call of a model: counted twice, it would cost twice. So the wrapper writes what it knows on the
framework's span, which has its place in the tree, instead of starting one of its own.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from spanloop import _context
from spanloop._failsafe import guarded

GENERATION = "generation"
EMBEDDING = "embedding"
# What an operation is, by OpenTelemetry's names and by OpenInference's.
OPERATIONS = {
    "chat": GENERATION,
    "text_completion": GENERATION,
    "generate_content": GENERATION,
    "embeddings": EMBEDDING,
}
KINDS = {"LLM": GENERATION, "EMBEDDING": EMBEDDING}

GUEST = "_spanloop_guest"
"""Attribute of a host: the call that writes on it."""

# A model's run that a framework has begun, perhaps without making its span current: the span, its kind, and what of
# ours was current.
_noted: ContextVar[tuple[Any, str, _context.Entry | None] | None] = ContextVar("spanloop_noted", default=None)


def note_run(span: Any, kind: str) -> None:
    """Says that the model call which comes next in this context is recorded by `span`; `kind` as in `KINDS`."""
    if kind in KINDS:
        _noted.set((span, KINDS[kind], _context.current_entry()))


@guarded
def find_host(operation: str) -> Any:
    """The span to write on; None where the call is nobody else's."""
    wanted = OPERATIONS.get(operation)
    if wanted is None:
        return None
    noted = _noted.get()
    # A span of ours that began since means that the call is another one.
    if noted is not None and noted[1:] == (wanted, _context.current_entry()) and noted[0].is_recording():
        return noted[0] if _is_free(noted[0]) else None
    span = _context.current()
    return span if span is not None and _records(span) == wanted and _is_free(span) else None


def _records(span: Any) -> str | None:
    """Which kind of call somebody else's span is about; None of ours, and of those about anything else."""
    scope = getattr(span, "instrumentation_scope", None)
    if scope is None or scope.name == "spanloop":
        return None
    attributes = getattr(span, "attributes", None) or {}
    kind = attributes.get("openinference.span.kind")
    return KINDS.get(str(kind)) if kind is not None else OPERATIONS.get(str(attributes.get("gen_ai.operation.name")))


def _is_free(span: Any) -> bool:
    """Nobody writes on it, or whoever did has failed and this is the next try."""
    guest = getattr(span, GUEST, None)
    return bool(span.is_recording()) and (guest is None or guest.has_failed)
