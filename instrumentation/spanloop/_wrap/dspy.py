"""Adds token counts to the model calls that OpenInference's instrumentor of DSPy records, which leaves them out."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from spanloop import _context
from spanloop._failsafe import guarded, log
from spanloop._wrap import genai
from spanloop._wrap.endpoint import known
from spanloop._wrap.host import GUEST
from spanloop._wrap.openai_chat import chat_usage

MODELS = "dspy.clients.base_lm"
MARK = "_spanloop_counted"


def count_tokens(instrumentor: Any) -> None:
    """Called once the instrumentor runs."""
    kind: Any = getattr(sys.modules.get(MODELS), "BaseLM", None)
    if not hasattr(kind, "update_history"):
        log.info("this version of DSPy is not known; its model calls are recorded without token counts")
    elif not hasattr(kind, MARK):
        kind.update_history = _counting(kind.update_history)
        setattr(kind, MARK, True)


def _counting(update_history: Callable[..., Any]) -> Callable[..., Any]:
    def count_and_update(model: Any, entry: Any) -> Any:
        guarded(_count)(entry)
        return update_history(model, entry)

    return count_and_update


def _count(entry: dict[str, Any]) -> None:
    """Unless a wrapper of ours has; an answer from DSPy's cache used no tokens."""
    span: Any = _context.current()
    if span is None or hasattr(span, GUEST) or (span.attributes or {}).get("openinference.span.kind") != "LLM":
        return
    span.set_attributes(known({genai.RESPONSE_MODEL: entry.get("response_model"), **chat_usage(entry.get("usage"))}))
