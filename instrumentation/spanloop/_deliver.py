"""Delivery of one process: a transport, a queue per signal, and what happens at fork and exit."""

from __future__ import annotations

import atexit
import os
import time
import weakref
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from spanloop._attachments.keeper import Keeper, Upload
from spanloop._attachments.upload import Uploader, encode_upload
from spanloop._failsafe import guarded
from spanloop._health import Health
from spanloop._outbox import PATIENCE_WHILE_AWAY_SECONDS, Bounds, Outbox, Stats
from spanloop._settings import Settings
from spanloop._spill import open_spill
from spanloop._termination import stop_watching, watch_termination
from spanloop._transport import open_transport
from spanloop._transport.api import api_url

LONGEST_WAIT_BEFORE_FORK_SECONDS = 0.5

Encode = Callable[[Sequence[Any]], bytes]


class Connection(Protocol):
    """What a queue sends over."""

    def forget(self) -> None: ...

    def close(self) -> None: ...


_running: weakref.WeakSet[Delivery] = weakref.WeakSet()


class Delivery:
    """Carries spans, log records and attachments to the collector, in threads of its own."""

    def __init__(
        self, settings: Settings, *, encode_spans: Callable[[Keeper | None], Encode], encode_logs: Encode
    ) -> None:
        """`encode_spans` makes the encoder of spans, given who keeps the bytes that they refer to."""
        self._settings = settings
        self._health = Health(settings.endpoint)
        self._transport = open_transport(settings)
        self._uploader = Uploader(settings)
        self.attachments = self._outbox_of_attachments()
        self.keeper = self._keeper() if settings.attachments else None
        self.spans = self._outbox("traces", encode_spans(self.keeper))
        self.logs = self._outbox("logs", encode_logs)
        # What refers to attachments goes before them.
        self._outboxes: tuple[Outbox[Any], ...] = (self.spans, self.logs, self.attachments)
        self._connections: tuple[Connection, ...] = (self._transport, self._uploader)
        _running.add(self)
        _watch_exit(self)
        watch_termination(self.flush_at_termination, timeout_seconds=settings.exit_flush_seconds)

    def _outbox(self, signal: str, encode: Encode) -> Outbox[Any]:
        settings = self._settings
        bounds = self._bounds(settings.max_queue_bytes, settings.max_queue_items)
        return Outbox(
            signal, bounds, self._health, encode=encode, send=self._transport.send, spill=open_spill(settings, signal)
        )

    def _outbox_of_attachments(self) -> Outbox[Upload]:
        settings = self._settings
        return Outbox(
            "attachments",
            self._bounds(
                settings.max_attachment_queue_bytes,
                settings.max_queue_items,
                set_by="SPANLOOP_MAX_ATTACHMENT_QUEUE_BYTES",
            ),
            Health(api_url(settings), where="api_url= or SPANLOOP_API_URL"),
            encode=encode_upload,
            send=self._uploader.send,
            batch_items=1,
            lost=lambda upload: self.keeper.lost(upload) if self.keeper is not None else None,
            spill=open_spill(settings, "attachments"),
        )

    def _bounds(self, max_bytes: int, max_items: int, **more: str) -> Bounds:
        settings = self._settings
        return Bounds(max_bytes, max_items, settings.flush_interval_seconds, settings.request_timeout_seconds, **more)

    def _keeper(self) -> Keeper:
        settings = self._settings
        return Keeper(
            self.attachments.put,
            drop=self.attachments.drop,
            max_bytes=settings.max_attachment_queue_bytes,
            max_attachment_bytes=settings.max_attachment_bytes,
        )

    def carry(self, outbox: Outbox[Any], connection: Connection) -> None:
        """Takes care of another queue, and of the connection that it sends over."""
        self._outboxes = (*self._outboxes[:-1], outbox, self._outboxes[-1])
        self._connections = (*self._connections, connection)

    def flush(self, timeout_seconds: float) -> bool:
        return _all((outbox.flush for outbox in self._outboxes), timeout_seconds)

    def close(self, timeout_seconds: float) -> bool:
        atexit.unregister(self.close_at_exit)
        _running.discard(self)
        stop_watching()
        is_done = _all((outbox.close for outbox in self._outboxes), timeout_seconds)
        for connection in self._connections:
            connection.close()
        return is_done

    def close_at_exit(self) -> None:
        guarded(self.close)(self._settings.exit_flush_seconds)

    def flush_at_termination(self, timeout_seconds: float) -> bool:
        """The same as `flush`, but a collector that is away is hardly waited for."""
        started = time.monotonic()
        while not self.flush(PATIENCE_WHILE_AWAY_SECONDS):
            if not self._health.is_well or time.monotonic() - started >= timeout_seconds:
                return False
        return True

    def stats(self) -> Stats:
        *rows, attachments = (outbox.stats() for outbox in self._outboxes)
        return Stats(
            sum(each.delivered for each in rows),
            sum(each.waiting for each in rows),
            sum(each.dropped for each in rows),
            sum(each.refused for each in rows),
            sum(each.spilled for each in rows),
            attachments=attachments if attachments != Stats() else None,
        )

    def before_fork(self) -> None:
        for outbox in self._outboxes:
            outbox.before_fork(LONGEST_WAIT_BEFORE_FORK_SECONDS)

    def after_fork_in_parent(self) -> None:
        for outbox in self._outboxes:
            outbox.after_fork_in_parent()

    def after_fork_in_child(self) -> None:
        for connection in self._connections:
            connection.forget()
        if self.keeper is not None:
            self.keeper.after_fork()
        for outbox in self._outboxes:
            outbox.after_fork()


def _all(waits: Iterable[Callable[[float], bool]], timeout_seconds: float) -> bool:
    """All the waits within one time limit; each at least looks."""
    deadline = time.monotonic() + timeout_seconds
    return all([wait(max(0.0, deadline - time.monotonic())) for wait in waits])


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
