"""A function each call of which is a row of an experiment."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from spanloop import _attributes as names
from spanloop._signature import read_signature
from spanloop._span import Span


def one_row_a_call(function: Callable[..., Any], start: Callable[..., Span]) -> Callable[..., Any]:
    """The function, with its arguments as the row's input and its result as output; `start` makes the row's span."""
    signature = read_signature(function)
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def call_async(*args: Any, **kwargs: Any) -> Any:
            with start(input=signature.named(args, kwargs)) as span:
                result = await function(*args, **kwargs)
                _log_result(span, result)
            return result

        return call_async

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        with start(input=signature.named(args, kwargs)) as span:
            result = function(*args, **kwargs)
            _log_result(span, result)
        return result

    return call


def _log_result(span: Span, result: Any) -> None:
    attributes = getattr(span._otel, "attributes", None) or {}
    # Output that the function logged itself says more than its return value.
    if names.OUTPUT not in attributes:
        span.log(output=result)
