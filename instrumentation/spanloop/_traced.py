"""`@traced`: a span for every call of a function, with its arguments as input and its result as output."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, TypeVar, overload

from spanloop import _attributes as names
from spanloop import _context, _runtime
from spanloop._failsafe import guarded, log
from spanloop._fields import encodable, fields_as_attributes
from spanloop._json import to_json
from spanloop._otel_span import record_error, span_name, start_otel_span
from spanloop._signature import Signature, read_signature

F = TypeVar("F", bound=Callable[..., Any])

_Class = type  # below, `type` is the name of an argument


class Plan(NamedTuple):
    """What a decorated function records; settled once, when it is decorated."""

    name: str
    fixed: dict[str, Any]
    """Attributes that are the same for every call."""
    signature: Signature | None
    """None records no input."""
    records_output: bool


class Call(NamedTuple):
    """One call under way."""

    span: Any
    entry: _context.Entry
    max_chars: int


@overload
def traced(function: F, /) -> F: ...


@overload
def traced(
    *,
    name: str | None = None,
    type: str = "function",
    capture_input: bool = True,
    capture_output: bool = True,
    metadata: Mapping[str, Any] | None = None,
    tags: Iterable[str] | None = None,
) -> Callable[[F], F]: ...


def traced(
    function: Any = None,
    /,
    *,
    name: str | None = None,
    type: str = "function",
    capture_input: bool = True,
    capture_output: bool = True,
    metadata: Mapping[str, Any] | None = None,
    tags: Iterable[str] | None = None,
) -> Any:
    """Traces every call of a function, coroutine function, generator, async generator or method.

    Arguments become the row's input (without `self` and `cls`), the result its output; a generator's
    output is what it yielded, joined when that is text. Exceptions are recorded and pass through. Before
    `spanloop.init`, and after it fails, the function runs as if it were not decorated.

        @traced(type="tool")
        def search(query: str) -> list[str]: ...
    """

    def decorate(target: Any) -> Any:
        try:
            plan = _plan(target, name, type, capture_input, capture_output, metadata, tags)
            return _decorated(target, plan)
        except Exception:
            log.exception("@traced cannot decorate %r; it stays as it is", target)
            return target

    return decorate if function is None else decorate(function)


def _plan(
    target: Any,
    name: str | None,
    kind: str,
    capture_input: bool,
    capture_output: bool,
    metadata: Mapping[str, Any] | None,
    tags: Iterable[str] | None,
) -> Plan:
    function = target.__func__ if isinstance(target, staticmethod | classmethod) else target
    if isinstance(function, _Class) or not callable(function):
        raise TypeError(f"@traced takes a function, not {function!r}")
    fixed = fields_as_attributes({}, 1_000_000, metadata=metadata, tags=tags)
    if kind:
        fixed[names.TYPE] = encodable(kind)
    return Plan(
        span_name(name or getattr(function, "__name__", None) or _Class(function).__name__),
        fixed,
        read_signature(target) if capture_input else None,
        capture_output,
    )


def _decorated(target: Any, plan: Plan) -> Any:
    """The right wrapper for the kind of function."""
    from spanloop._generators import traced_async_generator, traced_generator

    if isinstance(target, classmethod):
        return classmethod(_decorated(target.__func__, plan))
    if isinstance(target, staticmethod):
        return staticmethod(_decorated(target.__func__, plan))
    if inspect.isgeneratorfunction(target):
        return traced_generator(target, plan)
    if inspect.isasyncgenfunction(target):
        return traced_async_generator(target, plan)
    if inspect.iscoroutinefunction(target):
        return _coroutine(target, plan)
    return _function(target, plan)


def _function(function: Callable[..., Any], plan: Plan) -> Callable[..., Any]:
    @functools.wraps(function)
    def call_traced(*args: Any, **kwargs: Any) -> Any:
        call = begin(plan, args, kwargs)
        if call is None:
            return function(*args, **kwargs)
        try:
            result = function(*args, **kwargs)
        except BaseException as error:
            fail(call, error)
            raise
        succeed(call, plan, result)
        return result

    return call_traced


def _coroutine(function: Callable[..., Any], plan: Plan) -> Callable[..., Any]:
    @functools.wraps(function)
    async def call_traced(*args: Any, **kwargs: Any) -> Any:
        call = begin(plan, args, kwargs)
        if call is None:
            return await function(*args, **kwargs)
        try:
            result = await function(*args, **kwargs)
        except BaseException as error:
            fail(call, error)
            raise
        succeed(call, plan, result)
        return result

    return call_traced


@guarded
def begin(plan: Plan, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call | None:
    """Starts the span and makes it current; None when nothing is traced."""
    runtime = _runtime.active()
    if runtime is None:
        return None
    max_chars = runtime.settings.max_value_chars
    span = start_otel_span(runtime, plan.name, opening_attributes(plan, args, kwargs, max_chars))
    return Call(span, _context.enter(span, is_shared=runtime.is_joined), max_chars)


def opening_attributes(plan: Plan, args: tuple[Any, ...], kwargs: dict[str, Any], max_chars: int) -> dict[str, Any]:
    if plan.signature is None:
        return plan.fixed
    return {**plan.fixed, names.INPUT: to_json(plan.signature.named(args, kwargs), max_chars)}


@guarded
def succeed(call: Call, plan: Plan, result: object) -> None:
    _context.leave(call.entry)
    span = call.span
    # Output that the function logged itself says more than its return value.
    if plan.records_output and span.is_recording() and names.OUTPUT not in span.attributes.copy():
        span.set_attribute(names.OUTPUT, to_json(result, call.max_chars))
    span.end()


@guarded
def fail(call: Call, error: BaseException) -> None:
    _context.leave(call.entry)
    record_error(call.span, error)
    call.span.end()
