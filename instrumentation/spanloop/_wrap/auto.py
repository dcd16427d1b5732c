"""`auto_instrument`: traces the clients of all packages that are installed, whoever makes them."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

from spanloop._failsafe import guarded
from spanloop._wrap.anthropic import ANTHROPIC
from spanloop._wrap.client import Api, wrap_client_class
from spanloop._wrap.openai import OPENAI

# Package, its API, and the client classes whose subclasses and instances are to be traced.
CLIENTS: dict[str, tuple[Api, tuple[str, ...]]] = {
    "openai": (OPENAI, ("OpenAI", "AsyncOpenAI")),
    "anthropic": (
        ANTHROPIC,
        (
            "Anthropic",
            "AsyncAnthropic",
            "AnthropicBedrock",
            "AsyncAnthropicBedrock",
            "AnthropicVertex",
            "AsyncAnthropicVertex",
        ),
    ),
}


def auto_instrument(*, openai: bool = True, anthropic: bool = True, others: bool = True) -> tuple[str, ...]:
    """Traces the AI libraries that are installed; returns their names. Call it after `init`.

    OpenAI's and Anthropic's clients are traced by our own wrappers, also those that exist already; `others`
    runs the instrumentors of OpenInference and OpenTelemetry that are installed (LangChain, LlamaIndex, DSPy, …).
    Imports the packages, so leave out what the application does not use and does not want to wait for.

        spanloop.init("support-bot")
        spanloop.auto_instrument()
    """
    from spanloop._wrap.instrumentors import run_instrumentors  # brings in importlib.metadata, which takes its time

    wanted = {"openai": openai, "anthropic": anthropic}
    traced = tuple(name for name in CLIENTS if wanted[name] and guarded(_instrument)(name))
    return traced + (guarded(run_instrumentors)() or () if others else ())


def _instrument(package: str) -> bool:
    if importlib.util.find_spec(package) is None:
        return False
    api, names = CLIENTS[package]
    module: Any = importlib.import_module(package)
    for name in names:
        if (kind := getattr(module, name, None)) is not None:
            wrap_client_class(kind, api)
    return True
