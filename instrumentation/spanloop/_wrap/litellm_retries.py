"""Counts how often LiteLLM tries: with its own loop around a call, and inside the OpenAI client."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from typing import Any

from spanloop._failsafe import guarded
from spanloop._wrap.call import Call
from spanloop._wrap.client import note_retries
from spanloop._wrap.sending import current_call

# The loops, and what they call again and again unless told otherwise.
LOOPS = {
    "completion_with_retries": "completion",
    "acompletion_with_retries": "acompletion",
    "responses_with_retries": "responses",
    "aresponses_with_retries": "aresponses",
}


def count_retries(module: Any) -> None:
    """From now on the tries of a call are known to its span."""
    for name in LOOPS:
        if callable(loop := getattr(module, name, None)):
            setattr(module, name, _counted(loop))
    base: Any = sys.modules.get("openai._base_client")
    for kind in ("SyncAPIClient", "AsyncAPIClient"):
        if hasattr(base, kind):
            note_retries(getattr(base, kind))


def _counted(loop: Callable[..., Any]) -> Callable[..., Any]:
    """LiteLLM runs such a loop when the first try has failed, from where it caught the failure."""

    @functools.wraps(loop)
    def run(*args: Any, **kwargs: Any) -> Any:
        call = current_call.get()
        if call is not None and callable(function := kwargs.get("original_function")):
            failed(call, sys.exc_info()[1])
            kwargs["original_function"] = _noting(function, call)
        return loop(*args, **kwargs)

    return run


def _noting(function: Callable[..., Any], call: Call) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(function):

        async def try_async(*args: Any, **kwargs: Any) -> Any:
            call.trying()
            try:
                return await function(*args, **kwargs)
            except BaseException as error:
                failed(call, error)
                raise

        return try_async

    def try_once(*args: Any, **kwargs: Any) -> Any:
        call.trying()
        try:
            return function(*args, **kwargs)
        except BaseException as error:
            failed(call, error)
            raise

    return try_once


@guarded
def failed(call: Call, error: BaseException | None) -> None:
    code = getattr(error, "status_code", None)
    call.try_failed(str(code) if isinstance(code, int) else "no response")
