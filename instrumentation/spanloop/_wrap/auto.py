"""`auto_instrument`: traces the clients of all packages that are installed, whoever makes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from spanloop._failsafe import guarded
from spanloop._wrap.anthropic import ANTHROPIC
from spanloop._wrap.client import Api, wrap_client_class
from spanloop._wrap.google_genai import wrap_google_genai_classes
from spanloop._wrap.imported import is_installed, when_imported
from spanloop._wrap.litellm import wrap_litellm
from spanloop._wrap.openai import OPENAI
from spanloop._wrap.pydantic_ai import instrument_pydantic_ai

# Client classes whose subclasses and instances are to be traced.
OPENAI_CLIENTS = ("OpenAI", "AsyncOpenAI")
ANTHROPIC_CLIENTS = (
    "Anthropic",
    "AsyncAnthropic",
    "AnthropicBedrock",
    "AsyncAnthropicBedrock",
    "AnthropicVertex",
    "AsyncAnthropicVertex",
)


def auto_instrument(
    *,
    openai: bool = True,
    anthropic: bool = True,
    google_genai: bool = True,
    litellm: bool = True,
    pydantic_ai: bool = True,
    others: bool | str | Iterable[str] = True,
) -> tuple[str, ...]:
    """Traces the AI libraries that are installed; returns their names. Call it after `init`.

    The clients of OpenAI, Anthropic, Google Gen AI and LiteLLM are traced by our own wrappers, also those that exist
    already, Pydantic AI by its own instrumentation; nothing is imported for it that the application does not import.
    `others` runs the instrumentors of OpenInference and OpenTelemetry that are installed, for example by
    `pip install "spanloop[langchain]"`: all, none, or those named. A model call that two of them see is recorded once.

        spanloop.init("support-bot")
        spanloop.auto_instrument()
    """
    from spanloop._wrap.instrumentors import run_instrumentors  # brings in importlib.metadata, which takes its time

    wanted = {"openai": openai, "anthropic": anthropic, "google_genai": google_genai, "litellm": litellm}
    wanted["pydantic_ai"] = pydantic_ai
    traced = tuple(name for name in PACKAGES if wanted[name] and guarded(_instrument)(name))
    if others is False:
        return traced
    names = {others} if isinstance(others, str) else None if others is True else set(others)
    return traced + (guarded(run_instrumentors)(names) or ())


def _instrument(name: str) -> bool:
    module, wrap = PACKAGES[name]
    if not is_installed(module):
        return False
    when_imported(module, wrap)
    return True


def _classes(api: Api, names: tuple[str, ...]) -> Callable[[Any], None]:
    def wrap(module: Any) -> None:
        for name in names:
            if (kind := getattr(module, name, None)) is not None:
                wrap_client_class(kind, api)

    return wrap


# The module to wait for, and what to do with it.
PACKAGES: dict[str, tuple[str, Callable[[Any], object]]] = {
    "openai": ("openai", _classes(OPENAI, OPENAI_CLIENTS)),
    "anthropic": ("anthropic", _classes(ANTHROPIC, ANTHROPIC_CLIENTS)),
    "google_genai": ("google.genai", wrap_google_genai_classes),
    "litellm": ("litellm", wrap_litellm),
    "pydantic_ai": ("pydantic_ai", instrument_pydantic_ai),
}
