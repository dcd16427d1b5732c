"""Delivery of one process: a transport, a queue per signal, and what happens at fork and exit."""

from __future__ import annotations

import atexit
import os
import time
import weakref
from collections.abc import Callable, Sequence
from typing import Any

from spanloop._failsafe import guarded
from spanloop._health import Health
from spanloop._outbox import Bounds, Outbox, Stats
from spanloop._settings import Settings
from spanloop._transport import open_transport

LONGEST_WAIT_BEFORE_FORK_SECONDS = 0.5

Encode = Callable[[Sequence[Any]], bytes]

_running: weakref.WeakSet[Delivery] = weakref.WeakSet()


class Delivery:
    """Carries spans and log records to the collector, in threads of its own."""

    def __init__(self, settings: Settings, *, encode_spans: Encode, encode_logs: Encode) -> None:
        self._settings = settings
        self._health = Health(settings.endpoint)
        self._transport = open_transport(settings)
        self.spans = self._outbox("traces", encode_spans)
        self.logs = self._outbox("logs", encode_logs)
        _running.add(self)
        _watch_exit(self)

    def _outbox(self, signal: str, encode: Encode) -> Outbox[Any]:
        settings = self._settings
        bounds = Bounds(
            settings.max_queue_bytes,
            settings.max_queue_items,
            settings.flush_interval_seconds,
            settings.request_timeout_seconds,
        )
        return Outbox(signal, bounds, self._health, encode=encode, send=self._transport.send)

    def flush(self, timeout_seconds: float) -> bool:
        return _both(self.spans.flush, self.logs.flush, timeout_seconds)

    def close(self, timeout_seconds: float) -> bool:
        atexit.unregister(self.close_at_exit)
        _running.discard(self)
        is_done = _both(self.spans.close, self.logs.close, timeout_seconds)
        self._transport.close()
        return is_done

    def close_at_exit(self) -> None:
        guarded(self.close)(self._settings.exit_flush_seconds)

    def stats(self) -> Stats:
        spans, logs = self.spans.stats(), self.logs.stats()
        return Stats(
            spans.delivered + logs.delivered,
            spans.waiting + logs.waiting,
            spans.dropped + logs.dropped,
            spans.refused + logs.refused,
        )

    def before_fork(self) -> None:
        for outbox in (self.spans, self.logs):
            outbox.before_fork(LONGEST_WAIT_BEFORE_FORK_SECONDS)

    def after_fork_in_parent(self) -> None:
        for outbox in (self.spans, self.logs):
            outbox.after_fork_in_parent()

    def after_fork_in_child(self) -> None:
        self._transport.forget()
        self._health.after_fork()
        for outbox in (self.spans, self.logs):
            outbox.after_fork()


def _both(first: Callable[[float], bool], second: Callable[[float], bool], timeout_seconds: float) -> bool:
    """Both waits within one time limit; the second at least looks."""
    started = time.monotonic()
    is_first_done = first(timeout_seconds)
    return second(max(0.0, timeout_seconds - (time.monotonic() - started))) and is_first_done


def _watch_exit(delivery: Delivery) -> None:
    """Delivers what waits when the process ends, also where it ends without running `atexit`.

    Processes that multiprocessing forks leave through `os._exit` and run only its own finalizers, which
    it clears before the child's code starts; so the child registers one after that.
    """
    atexit.register(delivery.close_at_exit)
    try:
        from multiprocessing import util
    except ImportError:  # a build without multiprocessing has no such children
        return
    util.register_after_fork(delivery, _finalize_in_child)


def _finalize_in_child(delivery: Delivery) -> None:
    from multiprocessing import util

    util.Finalize(None, delivery.close_at_exit, exitpriority=0)


def _each(action: Callable[[Delivery], None]) -> Callable[[], None]:
    def run() -> None:
        for delivery in list(_running):
            guarded(action)(delivery)

    return run


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_each(Delivery.before_fork),
        after_in_parent=_each(Delivery.after_fork_in_parent),
        after_in_child=_each(Delivery.after_fork_in_child),
    )
