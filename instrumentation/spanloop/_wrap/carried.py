"""Streams that ask for nothing until they are read: what they then do belongs to the span they were made in."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from spanloop import _context, _runtime
from spanloop._failsafe import guarded


def carried(make: Callable[..., Any]) -> Callable[..., Any]:
    """A version of `make` whose iterator runs below the span that is current now, whoever reads it."""

    @functools.wraps(make)
    def make_here(*args: Any, **kwargs: Any) -> Any:
        items, track = make(*args, **kwargs), _track()
        return items if track is None else _items(items, track)

    return make_here


def carried_async(make: Callable[..., Any]) -> Callable[..., Any]:
    """The same for a coroutine function that returns an async iterator."""

    @functools.wraps(make)
    async def make_here(*args: Any, **kwargs: Any) -> Any:
        items, track = await make(*args, **kwargs), _track()
        return items if track is None else _async_items(items, track)

    return make_here


@guarded
def _track() -> _context.Track | None:
    runtime, span = _runtime.active(), _context.current()
    return _context.Track(span, is_shared=runtime.is_joined) if runtime is not None and span is not None else None


def _items(items: Iterator[Any], track: _context.Track) -> Iterator[Any]:
    resume, suspend = guarded(track.resume), guarded(track.suspend)
    try:
        while True:
            resume()
            try:
                item = next(items)
            except StopIteration:
                return
            finally:
                suspend()
            yield item
    finally:
        if hasattr(items, "close"):
            items.close()


async def _async_items(items: AsyncIterator[Any], track: _context.Track) -> AsyncIterator[Any]:
    resume, suspend = guarded(track.resume), guarded(track.suspend)
    try:
        while True:
            resume()
            try:
                item = await anext(items)
            except StopAsyncIteration:
                return
            finally:
                suspend()
            yield item
    finally:
        if hasattr(items, "aclose"):
            await items.aclose()
