"""Watches a stream that hands out objects, without putting another object in its place.

Applications and the library itself ask such a stream what it is and use more of it than its items. So it stays the
object it was and becomes an instance of a subclass, whose `__next__` looks on.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from spanloop._failsafe import guarded
from spanloop._wrap.call import Call
from spanloop._wrap.unfinished import begun, finished

MAX_KEPT_ITEMS = 100_000
BYTES_OF_AN_ITEM = 1000
KEPT = "_spanloop_kept"


class _Kept:
    """The items of one stream."""

    def __init__(self, call: Call, read: Callable[[Any], Any]) -> None:
        self._call = call
        self._read = read
        self._items: list[Any] = []
        self._is_done = False
        begun(self)

    @guarded
    def got(self, item: Any) -> None:
        if len(self._items) < MAX_KEPT_ITEMS:
            self._items.append(item)
        if not self._call.has_token:
            self._call.saw(self._read(item))

    @guarded
    def ended(self, error: BaseException | None = None) -> None:
        if not self._is_done:
            self._is_done = True
            finished(self)
            self._call.close_later(self._events, len(self._items) * BYTES_OF_AN_ITEM, error)

    def _events(self) -> list[Any]:
        return [self._read(item) for item in self._items]

    def __del__(self) -> None:
        """A stream that nobody read to its end is over when it is collected."""
        self.ended()


def watch_iteration(stream: Any, call: Call, read: Callable[[Any], Any]) -> None:
    """Closes `call` when `stream` ends; `read` makes a dictionary of an item."""
    kept = _Kept(call, read)
    try:
        stream.__dict__[KEPT] = kept
        kind: Any = type(stream)
        stream.__class__ = _watched(kind)
    except (AttributeError, TypeError):  # a generator, or something else that keeps its class
        kept.ended()


@functools.cache
def _watched(kind: Any) -> type[Any]:
    members = {"__module__": kind.__module__, "__qualname__": kind.__qualname__, "__doc__": kind.__doc__}
    wrappers: dict[str, Callable[[Any], Any]] = {
        "__next__": _step,
        "__anext__": _async_step,
        "close": _closing,
        "aclose": _async_closing,
    }
    for name, wrapper in wrappers.items():
        if callable(method := getattr(kind, name, None)):
            members[name] = wrapper(method)
    return type(kind.__name__, (kind,), members)


def _step(step: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def watched_step(stream: Any) -> Any:
        kept = stream.__dict__[KEPT]
        try:
            item = step(stream)
        except StopIteration:
            kept.ended()
            raise
        except BaseException as error:
            kept.ended(error)
            raise
        kept.got(item)
        return item

    return watched_step


def _async_step(step: Callable[[Any], Any]) -> Callable[[Any], Any]:
    async def watched_step(stream: Any) -> Any:
        kept = stream.__dict__[KEPT]
        try:
            item = await step(stream)
        except StopAsyncIteration:
            kept.ended()
            raise
        except BaseException as error:
            kept.ended(error)
            raise
        kept.got(item)
        return item

    return watched_step


def _closing(close: Callable[..., Any]) -> Callable[..., Any]:
    def watched_close(stream: Any, *args: Any, **kwargs: Any) -> Any:
        stream.__dict__[KEPT].ended()
        return close(stream, *args, **kwargs)

    return watched_close


def _async_closing(aclose: Callable[..., Any]) -> Callable[..., Any]:
    async def watched_close(stream: Any, *args: Any, **kwargs: Any) -> Any:
        stream.__dict__[KEPT].ended()
        return await aclose(stream, *args, **kwargs)

    return watched_close
