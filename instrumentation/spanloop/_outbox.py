"""A queue and the thread that empties it into the collector, for as long as the process lives.

`put` never waits. A batch that could not be delivered stays at the head and is tried again, however long that takes.

With a spill, a queue that is half full moves its oldest items to disk, in a thread of its own; at the end of the
process goes there what could not be delivered. It is sent when the collector is back, in turns with what is new.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic

from spanloop._failsafe import caught, log
from spanloop._health import Health
from spanloop._mover import Mover
from spanloop._overflow import Counts, Overflow
from spanloop._queue import BATCH_ITEMS, Entry, Item, Queue, entries_of
from spanloop._sender import LONGEST_PAUSE_SECONDS, OVER, Sender
from spanloop._spill import Spill
from spanloop._transport import Outcome

PATIENCE_WHILE_AWAY_SECONDS = 0.5
LOOK_AT_DISK_SECONDS = 5.0  # for what other processes left there


@dataclass(frozen=True, slots=True)
class Bounds:
    """Limits of one queue."""

    max_bytes: int
    max_items: int
    flush_interval_seconds: float
    request_timeout_seconds: float
    set_by: str = "SPANLOOP_MAX_QUEUE_BYTES and SPANLOOP_MAX_QUEUE_ITEMS"
    """How to change the size, in words."""


@dataclass(slots=True)
class Stats:
    """What became of the items put so far."""

    delivered: int = 0
    waiting: int = 0
    dropped: int = 0
    """Dropped because the queue was full, or because the process ended first."""
    refused: int = 0
    """Rejected by the collector, or impossible to encode."""
    spilled: int = 0
    """Moved to disk, to be delivered later, perhaps by another process."""
    attachments: Stats | None = None
    """The same of the attachments that they refer to; None where there were none."""


class Outbox(Generic[Item]):
    """Items of one signal on their way out."""

    def __init__(
        self,
        signal: str,
        bounds: Bounds,
        health: Health,
        *,
        encode: Callable[[Sequence[Item]], bytes],
        send: Callable[[str, bytes, float], Outcome],
        batch_items: int = BATCH_ITEMS,
        lost: Callable[[Item], object] | None = None,
        spill: Spill | None = None,
    ) -> None:
        """`lost` is told each item that was dropped or refused."""
        self.signal = signal
        self._bounds = bounds
        self._health = health
        self._batch_items = batch_items
        self._queue: Queue[Item] = Queue(bounds.max_bytes, bounds.max_items, batch_items=batch_items, lost=lost)
        self._sender: Sender[Item] = Sender(
            signal,
            health,
            encode=encode,
            send=send,
            request_timeout_seconds=bounds.request_timeout_seconds,
            time_left=self._time_left,
            pause=self._pause,
            resolve=self._resolve,
            lost=lost,
        )
        self._overflow: Overflow[Item] | None = None
        self._mover: Mover[Item] | None = None
        if spill is not None:
            self._overflow = Overflow(signal, spill, health, encode)
            self._mover = Mover(signal, self._overflow, take=self._take_to_move, moved=self._moved)
        self._start_anew()
        if self._overflow is not None and self._overflow.is_busy:  # left by a process before this one
            self._start()

    def _start_anew(self) -> None:
        # Protected by the queue's lock.
        self._has_moved = False  # to disk, since the sender last looked there
        self._hurried_to = 0  # items below this number go at once, without waiting for company
        self._flushes = 0
        self._deadline = float("inf")
        self._thread: threading.Thread | None = None

    def put(self, item: Item, size: int) -> None:
        """Takes `item`, whose size is about `size` bytes; returns at once."""
        overflow = self._queue.put(item, size)
        if self._thread is None:
            self._start()
        if self._mover is not None and self._queue.is_filled(2) and self._mover.is_idle:
            self._mover.start()
        if overflow:
            self._say_overflow(overflow)

    def drop(self, count: int) -> None:
        """Counts items that found no room on their way here."""
        with self._queue.changed:
            self._queue.dropped += count
        self._say_overflow(count)

    def _say_overflow(self, count: int) -> None:
        self._health.overflow(count, f"queue of {self.signal}", self._bounds.set_by)

    def _start(self) -> None:
        with self._queue.changed:
            if self._thread is not None or self._queue.is_closed:
                return
            self._thread = threading.Thread(target=self._run, name=f"spanloop-{self.signal}", daemon=True)
            try:
                self._thread.start()
            except RuntimeError:  # the interpreter is on its way out; `close` sends from its own thread
                self._thread = None

    def stats(self) -> Stats:
        queue = self._queue
        with queue.changed:
            disk = self._overflow.counts if self._overflow is not None else Counts()
            return Stats(
                queue.delivered + disk.delivered,
                queue.unresolved(),
                queue.dropped + disk.dropped,
                queue.refused + disk.refused,
                disk.spilled,
            )

    def fullness(self) -> float:
        """The part of the bound that is taken, from 0 to 1: for senders that can wait rather than lose anything."""
        return self._queue.fullness()

    # The public waits.

    def flush(self, timeout_seconds: float) -> bool:
        """Sends everything put before this call, and what is on disk; True when it has left within the time."""
        deadline = time.monotonic() + timeout_seconds
        changed = self._queue.changed
        with changed:
            target = self._queue.accepted
            self._hurry(target)
            has_left = changed.wait_for(lambda: self._queue.first_unresolved() >= target, timeout_seconds)
        while has_left and self._is_disk_busy():
            with changed:
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                changed.wait(min(left, 0.1))
        return has_left

    def _is_disk_busy(self) -> bool:
        return self._overflow is not None and self._overflow.is_busy

    def close(self, timeout_seconds: float) -> bool:
        """Takes no more, sends what waits and stops; True when everything has left.

        While the collector is away this waits one second at most, since it will hardly come back now. What is left
        goes to disk where there is a spill.
        """
        started = time.monotonic()
        queue = self._queue
        with queue.changed:
            queue.is_closed = True
            self._deadline = started + timeout_seconds
            self._hurry(queue.accepted)
            has_thread = self._thread is not None
        if not has_thread:
            self._run()
        with queue.changed:
            while (queue.first_unresolved() < queue.accepted or self._is_disk_busy()) and not self._is_late(started):
                queue.changed.wait(min(self._deadline - time.monotonic(), PATIENCE_WHILE_AWAY_SECONDS))
            self._deadline = OVER
            left = queue.take_all()
        if left and self._overflow is not None:
            left = self._move_all(self._overflow, left)
        with queue.changed:
            queue.dropped += len(left)
        if left:
            log.warning("%d %s were not delivered before the end", len(left), self.signal)
        return not left and not self._is_disk_busy()

    def _is_late(self, started: float) -> bool:
        now = time.monotonic()
        is_away = not self._health.is_well and now - started >= PATIENCE_WHILE_AWAY_SECONDS
        return is_away or now >= self._deadline

    def _hurry(self, target: int) -> None:
        self._hurried_to = max(self._hurried_to, target)
        self._flushes += 1
        self._queue.changed.notify_all()

    # The thread.

    def _run(self) -> None:
        _suppress_instrumentation()
        try:
            while True:
                has_sent = self._send_from_disk()
                batch = self._next_batch(waits=not has_sent)
                if batch is None:
                    return
                if batch:
                    self._sender.deliver(batch)
                if self._queue.in_flight:  # closing, and time is up
                    return
        except Exception:
            with self._queue.changed:  # a fault of ours: the next `put` starts another thread
                self._queue.forget_in_flight()
                self._thread = None
            caught(f"the sender of {self.signal}")

    def _next_batch(self, *, waits: bool = True) -> list[Entry[Item]] | None:
        """The next items to send together; none when it is time to look at the disk, None when all is done."""
        look_again_at = time.monotonic() + LOOK_AT_DISK_SECONDS if self._overflow is not None else float("inf")
        queue = self._queue
        with queue.changed:
            due = float("inf")
            while not self._is_due(due):
                now = time.monotonic()
                if queue.is_closed and (now >= self._deadline or (waits and not queue.waiting)):
                    return None
                if not waits or now >= look_again_at or self._has_news_from_disk():
                    return []
                if queue.waiting and due == float("inf"):
                    due = now + self._bounds.flush_interval_seconds
                queue.is_gathering = True
                wake_at = min(due, look_again_at)
                queue.changed.wait(None if wake_at == float("inf") else max(0.0, wake_at - now))
            queue.is_gathering = False
            return queue.take()

    def _has_news_from_disk(self) -> bool:
        """Whether something was moved to disk since the disk was last looked at."""
        has_news, self._has_moved = self._has_moved, False
        return has_news

    def _is_due(self, due: float) -> bool:
        queue = self._queue
        if not queue.waiting:
            return False
        is_hurried = queue.waiting[0].number < self._hurried_to
        return is_hurried or queue.is_closed or queue.has_full_batch() or time.monotonic() >= due

    # What the sender asks for.

    def _time_left(self) -> float:
        return self._deadline - time.monotonic()

    def _pause(self, seconds: float) -> bool:
        """Waits before the next try; a flush cuts the wait short. False when time is up."""
        changed = self._queue.changed
        with changed:
            changed.notify_all()
            flushes = self._flushes
            changed.wait_for(
                lambda: self._flushes != flushes or self._deadline == OVER, min(seconds, max(0.0, self._time_left()))
            )
            return self._time_left() > 0

    def _resolve(self, batch: Sequence[Entry[Item]], rejected: int) -> None:
        with self._queue.changed:
            self._queue.resolve(batch, rejected)

    # To disk, and from there.

    def _take_to_move(self) -> list[Item]:
        with self._queue.changed:
            return self._queue.take_to_move()

    def _moved(self, left: Sequence[Item]) -> None:
        with self._queue.changed:
            self._has_moved = True
            self._queue.moved(left)

    def _move_all(self, overflow: Overflow[Item], entries: list[Entry[Item]]) -> list[Entry[Item]]:
        """Writes all that could not be delivered in time; what the disk refused."""
        if self._mover is not None:
            self._mover.wait(LONGEST_PAUSE_SECONDS)
        left: list[Item] = []
        for start in range(0, len(entries), self._batch_items):
            left += overflow.write([entry.item for entry in entries[start : start + self._batch_items]])
        return entries_of(left, entries)

    def _send_from_disk(self) -> bool:
        if self._overflow is None or (self._queue.is_closed and self._time_left() <= 0):
            return False
        has_sent = self._overflow.send_one(self._sender.send_until_answered)
        if has_sent:
            with self._queue.changed:
                self._queue.changed.notify_all()
        return has_sent

    # Around a fork.

    def before_fork(self, timeout_seconds: float) -> None:
        """Keeps requests from being under way at the fork."""
        self._sender.before_fork(timeout_seconds)

    def after_fork_in_parent(self) -> None:
        self._sender.after_fork_in_parent()

    def after_fork(self) -> None:
        """Starts empty: what waited is the parent's to deliver."""
        self._queue.reset()
        self._sender.after_fork()
        self._health.after_fork()
        if self._overflow is not None:
            self._overflow.after_fork()
        if self._mover is not None:
            self._mover.after_fork()
        self._start_anew()


def _suppress_instrumentation() -> None:
    """Keeps the application's tracing of gRPC and HTTP off our own requests."""
    from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, attach, set_value

    attach(set_value(_SUPPRESS_INSTRUMENTATION_KEY, True))
