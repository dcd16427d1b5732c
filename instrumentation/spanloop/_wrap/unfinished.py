"""Streams that nobody has finished when the process ends: their spans end then, with what has arrived."""

from __future__ import annotations

import atexit
import weakref
from typing import Protocol


class Stream(Protocol):
    """What looks on at a stream."""

    def ended(self) -> None: ...


_unfinished: weakref.WeakSet[Stream] = weakref.WeakSet()


def begun(stream: Stream) -> None:
    """From now on until `finished`, the end of the process ends it."""
    if not _unfinished:
        atexit.unregister(end_all)
        atexit.register(end_all)  # after the delivery's own handler, so it runs before that
    _unfinished.add(stream)


def finished(stream: Stream) -> None:
    _unfinished.discard(stream)


def end_all() -> None:
    """Ends them now."""
    for stream in list(_unfinished):
        stream.ended()
