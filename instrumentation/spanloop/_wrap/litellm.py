"""`wrap_litellm`: LiteLLM's functions, sync and async, whatever provider they call.

LiteLLM calls some providers with clients of theirs that may be traced as well; such a call is part of LiteLLM's and
gets no span of its own.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from spanloop import _runtime
from spanloop._failsafe import guarded, log
from spanloop._wrap.call import Call
from spanloop._wrap.iteration import watch_iteration
from spanloop._wrap.litellm_endpoint import LiteLLMEndpoint, plain_reply, provider_name
from spanloop._wrap.litellm_retries import count_retries
from spanloop._wrap.openai_chat import ChatCompletions, Completions
from spanloop._wrap.openai_others import Embeddings, Images
from spanloop._wrap.openai_responses import Responses
from spanloop._wrap.sending import Sending, covering, is_covered

Module = TypeVar("Module")
MARK = "_spanloop_wrapped"


@dataclass(frozen=True, slots=True)
class Operation:
    """A function of LiteLLM's."""

    endpoint: LiteLLMEndpoint
    positional: tuple[str, ...]
    """Names of its first parameters."""


CHAT = Operation(LiteLLMEndpoint(ChatCompletions()), ("model", "messages"))
TEXT = Operation(LiteLLMEndpoint(Completions()), ("prompt", "model"))
EMBEDDING = Operation(LiteLLMEndpoint(Embeddings()), ("model", "input"))
RESPONSES = Operation(LiteLLMEndpoint(Responses()), ("input", "model"))
IMAGES = Operation(LiteLLMEndpoint(Images()), ("prompt", "model"))
FUNCTIONS = {
    "completion": CHAT,
    "text_completion": TEXT,
    "embedding": EMBEDDING,
    "responses": RESPONSES,
    "image_generation": IMAGES,
}
ASYNC_FUNCTIONS = {f"a{name}": operation for name, operation in FUNCTIONS.items()}


def wrap_litellm(module: Module) -> Module:
    """Traces LiteLLM's calls of models: `completion`, `text_completion`, `responses`, `embedding`,
    `image_generation`, their async kin, and what its `Router` does with them.

    Call it before `from litellm import completion`: names imported earlier keep the functions as they were. Keys and
    other settings of the call are never recorded; the answers of LiteLLM's cache are marked and cost no tokens.

        spanloop.wrap_litellm(litellm)
    """
    if not callable(getattr(module, "completion", None)):
        log.error("%r is not the litellm package; it stays as it is", getattr(module, "__name__", module))
    elif not getattr(module, MARK, False):
        guarded(_wrap)(module)
    return module


def _wrap(module: Any) -> None:
    for names, wrapper in ((FUNCTIONS, _traced), (ASYNC_FUNCTIONS, _async_traced)):
        for name, operation in names.items():
            if callable(function := getattr(module, name, None)):
                setattr(module, name, wrapper(function, operation, module))
    guarded(count_retries)(module)
    setattr(module, MARK, True)


def _traced(function: Callable[..., Any], operation: Operation, module: Any) -> Callable[..., Any]:
    @functools.wraps(function)
    def traced_function(*args: Any, **kwargs: Any) -> Any:
        sending = _begin(operation, module, args, kwargs)
        if sending is None:
            return function(*args, **kwargs)
        with sending, covering():
            reply = function(*args, **kwargs)
        _replied(sending, reply)
        return reply

    return traced_function


def _async_traced(function: Callable[..., Any], operation: Operation, module: Any) -> Callable[..., Any]:
    @functools.wraps(function)
    async def traced_function(*args: Any, **kwargs: Any) -> Any:
        sending = _begin(operation, module, args, kwargs)
        if sending is None:
            return await function(*args, **kwargs)
        with sending, covering():
            reply = await function(*args, **kwargs)
        _replied(sending, reply)
        return reply

    return traced_function


@guarded
def _begin(operation: Operation, module: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Sending | None:
    runtime = _runtime.active()
    if runtime is None or is_covered() or any(kwargs.get(name) is True for name in ASYNC_FUNCTIONS):
        return None
    given = {**dict(zip(operation.positional, args, strict=False)), **kwargs}
    name, model = _provider_and_model(module, given)
    base_url = given.get("api_base") or given.get("base_url") or ""
    body = {**given, "model": model}
    return Sending(Call(runtime, operation.endpoint, body, provider=provider_name(name), base_url=str(base_url)))


def _provider_and_model(module: Any, given: Mapping[str, Any]) -> tuple[str, Any]:
    """LiteLLM's names: `anthropic/claude-…` says both, a model it knows says its provider."""
    model = given.get("model")
    named = given.get("custom_llm_provider")
    if not isinstance(model, str):
        return named or "litellm", model
    first, _, rest = model.partition("/")
    if rest and (first == named or first in getattr(module, "provider_list", ())):
        return first, rest
    known = (getattr(module, "model_cost", None) or {}).get(model) or {}
    return named or known.get("litellm_provider") or "litellm", model


@guarded
def _replied(sending: Sending, reply: Any) -> None:
    sending.leave()
    if hasattr(reply, "__next__") or hasattr(reply, "__anext__"):
        watch_iteration(reply, sending.call, plain_reply)
    else:
        sending.call.close(reply)
