"""Ends of a process that run no exit handlers: SIGTERM without a handler, and uvicorn's, which raises it at the end.

What waits is sent first, within a bound; where nothing can follow, streams that are open are ended for it. Nothing is
changed for an application that has a handler of its own.
"""

from __future__ import annotations

import asyncio
import functools
import os
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

from spanloop._failsafe import guarded
from spanloop._wrap.imported import when_imported
from spanloop._wrap.unfinished import end_all

Flush = Callable[[float], object]

MARK = "_spanloop_flushes"
PATIENCE_SECONDS = 0.5
"""Beyond the time the flush has, for a thread that may have to wait for a lock."""

_flush: Flush | None = None
_seconds = 0.0


@guarded
def watch_termination(flush: Flush, *, timeout_seconds: float) -> None:
    """From now on `flush` runs, for at most this long, before the process ends by SIGTERM."""
    global _flush, _seconds
    _flush, _seconds = flush, timeout_seconds
    is_main = threading.current_thread() is threading.main_thread()
    if is_main and hasattr(signal, "SIGTERM") and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _flush_and_end)
    when_imported("uvicorn", _flush_after_its_shutdown)


@guarded
def stop_watching() -> None:
    """Leaves things as they were."""
    global _flush
    _flush = None
    is_main = threading.current_thread() is threading.main_thread()
    if is_main and hasattr(signal, "SIGTERM") and signal.getsignal(signal.SIGTERM) is _flush_and_end:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _flush_and_end(number: int, frame: FrameType | None) -> None:
    _in_a_thread(_end_all_and_flush)
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _end_all_and_flush(seconds: float) -> None:
    guarded(end_all)()
    if _flush is not None:
        _flush(seconds)


def _in_a_thread(flush: Flush | None) -> None:
    """The signal may have come while this thread holds a lock that the flush needs."""
    if flush is not None:
        thread = threading.Thread(target=guarded(flush), args=(_seconds,), name="spanloop-end", daemon=True)
        thread.start()
        thread.join(_seconds + PATIENCE_SECONDS)


def _flush_after_its_shutdown(uvicorn: Any) -> None:
    shutdown = getattr(getattr(uvicorn, "Server", None), "shutdown", None)
    if shutdown is not None and not hasattr(shutdown, MARK):
        uvicorn.Server.shutdown = _flushing(shutdown)


def _flushing(shutdown: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(shutdown)
    async def shut_down_and_flush(*args: Any, **kwargs: Any) -> None:
        await shutdown(*args, **kwargs)
        await asyncio.to_thread(guarded(_in_a_thread), _flush)

    setattr(shut_down_and_flush, MARK, True)
    return shut_down_and_flush
