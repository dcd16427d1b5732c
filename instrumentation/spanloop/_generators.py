"""Traced generators: the span starts at the first item and ends when the generator does.

A generator runs in pieces, perhaps in different tasks. So the span is current only while a piece runs:
attached before each step and detached after it, never across a `yield`. Its parent is the span in which
the function was called, even if the items are consumed later and elsewhere.
"""

from __future__ import annotations

import functools
import types
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any

from spanloop import _attributes as names
from spanloop import _context, _runtime
from spanloop._failsafe import guarded
from spanloop._json import to_json
from spanloop._otel_span import record_error, start_otel_span
from spanloop._traced import Plan, opening_attributes

MAX_KEPT_ITEMS = 10_000


class _Recording:
    """The span of one generator, and what it has yielded."""

    def __init__(self, plan: Plan, runtime: _runtime.Runtime, args: Any, kwargs: Any) -> None:
        self._plan = plan
        self._is_shared = runtime.is_joined
        self._max_chars = runtime.settings.max_value_chars
        self._attributes = opening_attributes(plan, args, kwargs, self._max_chars)
        self._parent = _context.current()
        self._span: Any = None
        self._track: _context.Track | None = None
        self._items: list[Any] = []
        self._yielded = 0

    @guarded
    def resume(self) -> None:
        """Makes the span current for one step; starts it before the first."""
        runtime = _runtime.active()
        if self._track is None and runtime is not None:
            self._span = start_otel_span(runtime, self._plan.name, self._attributes, parent=self._parent)
            self._track = _context.Track(self._span, is_shared=self._is_shared)
        if self._track is not None:
            self._track.resume()

    @guarded
    def suspend(self) -> None:
        if self._track is not None:
            self._track.suspend()

    def pause_with(self, item: Any) -> None:
        """The step ended with an item."""
        self.suspend()
        self._yielded += 1
        if self._plan.records_output and self._yielded <= MAX_KEPT_ITEMS:
            self._items.append(item)

    def finish(self, error: BaseException | None = None) -> None:
        """The step was the last. Being closed early is no error."""
        self.suspend()
        self.end(None if isinstance(error, GeneratorExit) else error)

    @guarded
    def end(self, error: BaseException | None = None) -> None:
        span = self._span
        if span is None or not span.is_recording():
            return
        if self._plan.records_output and names.OUTPUT not in span.attributes.copy():
            span.set_attribute(names.OUTPUT, to_json(self._output(), self._max_chars))
        if error is not None:
            record_error(span, error)
        span.end()

    def _output(self) -> Any:
        """Text that came in pieces as one text, everything else as a list."""
        left_out = self._yielded - len(self._items)
        if self._items and all(type(item) is str for item in self._items):
            return "".join(self._items) + (f"… [truncated: {left_out} more pieces]" if left_out else "")
        return [*self._items, f"[truncated: {left_out} more items]"] if left_out else self._items

    def __del__(self) -> None:
        """An async generator that is collected without an event loop is never closed."""
        self.end()


Steps = Callable[[Any, _Recording], Any]


class _TracedGeneratorFunction:
    """Looks like the function it wraps, also to `inspect.isgeneratorfunction`.

    It is no generator function itself because those run nothing when called, and the call is where the
    parent and the arguments are known. Frameworks that ask what kind of function it is (web frameworks'
    dependencies, chat interfaces) go by `__code__`, which is the wrapped function's.
    """

    __name__: str
    __qualname__: str

    def __init__(self, function: Any, plan: Plan, steps: Steps) -> None:
        functools.update_wrapper(self, function)
        self.__code__: types.CodeType = function.__code__
        self.__defaults__ = function.__defaults__
        self.__kwdefaults__ = function.__kwdefaults__
        self._function: Callable[..., Any] = function
        self._plan = plan
        self._steps = steps

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        recording = self._record(args, kwargs)
        generator = self._function(*args, **kwargs)
        return generator if recording is None else self._steps(generator, recording)

    @guarded
    def _record(self, args: Any, kwargs: Any) -> _Recording | None:
        runtime = _runtime.active()
        return _Recording(self._plan, runtime, args, kwargs) if runtime is not None else None

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else types.MethodType(self, instance)

    def __reduce__(self) -> str:
        return self.__qualname__  # pickled by name, as functions are

    def __repr__(self) -> str:
        return f"<traced {self._function!r}>"


def traced_generator(function: Any, plan: Plan) -> Any:
    return _TracedGeneratorFunction(function, plan, _steps)


def traced_async_generator(function: Any, plan: Plan) -> Any:
    return _TracedGeneratorFunction(function, plan, _async_steps)


def _steps(generator: Generator[Any, Any, Any], recording: _Recording) -> Generator[Any, Any, Any]:
    """Passes items, sent values, thrown exceptions and the return value through, as `yield from` does."""
    step: Callable[[Any], Any] = generator.send
    value: Any = None
    while True:
        recording.resume()
        try:
            item = step(value)
        except StopIteration as stop:
            recording.finish()
            return stop.value
        except BaseException as error:
            recording.finish(error)
            raise
        recording.pause_with(item)
        try:
            step, value = generator.send, (yield item)
        except GeneratorExit:
            _close(generator, recording)
            raise
        except BaseException as error:
            step, value = generator.throw, error


def _close(generator: Generator[Any, Any, Any], recording: _Recording) -> None:
    """Closed early, by the consumer or the garbage collector: what was yielded is the output."""
    recording.resume()
    try:
        generator.close()
    except BaseException as error:
        recording.finish(error)
        raise
    recording.finish()


async def _async_steps(generator: AsyncGenerator[Any, Any], recording: _Recording) -> AsyncGenerator[Any, Any]:
    """The same for an async generator; `async for`, `asend`, `athrow` and `aclose` all come by here."""
    step: Callable[[Any], Any] = generator.asend
    value: Any = None
    while True:
        recording.resume()
        try:
            item = await step(value)
        except StopAsyncIteration:
            recording.finish()
            return
        except BaseException as error:
            recording.finish(error)
            raise
        recording.pause_with(item)
        try:
            step, value = generator.asend, (yield item)
        except GeneratorExit:
            await _async_close(generator, recording)
            raise
        except BaseException as error:
            step, value = generator.athrow, error


async def _async_close(generator: AsyncGenerator[Any, Any], recording: _Recording) -> None:
    recording.resume()
    try:
        await generator.aclose()
    except BaseException as error:
        recording.finish(error)
        raise
    recording.finish()
