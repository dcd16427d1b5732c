"""A bounded queue and the thread that empties it into the collector, for as long as the process lives.

`put` never waits: beyond the bound the oldest waiting items are dropped and counted, so that what is
left after an outage is the latest, in one piece. A batch that could not be delivered stays at the head
and is tried again, however long that takes. Both bounds count what waits and what is being sent.
"""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from spanloop._failsafe import caught, log
from spanloop._health import Health
from spanloop._transport import Kind, Outcome

Item = TypeVar("Item")

BATCH_ITEMS = 512
BATCH_BYTES = 2 * 1024 * 1024
FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 5.0
DENIED_PAUSE_SECONDS = 30.0
LONGEST_ASKED_PAUSE_SECONDS = 60.0
PATIENCE_WHILE_AWAY_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Bounds:
    """Limits of one queue."""

    max_bytes: int
    max_items: int
    flush_interval_seconds: float
    request_timeout_seconds: float


@dataclass(slots=True)
class Stats:
    """What became of the items put so far."""

    delivered: int = 0
    waiting: int = 0
    dropped: int = 0
    """Dropped because the queue was full, or because the process ended first."""
    refused: int = 0
    """Rejected by the collector, or impossible to encode."""
    attachments: Stats | None = None
    """The same of the attachments that they refer to; None where there were none."""


class _Entry(NamedTuple, Generic[Item]):
    number: int
    item: Item
    size: int


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
    ) -> None:
        """`lost` is told each item that was dropped or refused."""
        self.signal = signal
        self._bounds = bounds
        self._health = health
        self._encode = encode
        self._send = send
        self._batch_items = batch_items
        self._lost = lost
        self.after_fork()

    def after_fork(self) -> None:
        """Starts empty: what waited is the parent's to deliver."""
        self._changed = threading.Condition()  # protects everything below
        self._sending = threading.Lock()  # held while a request is under way; a fork waits for it
        self._waiting: deque[_Entry[Item]] = deque()
        self._waiting_bytes = 0
        self._in_flight = self._in_flight_bytes = 0
        self._unresolved_from: int | None = None  # number of the first item being sent
        self._accepted = 0
        self._is_gathering = False  # the thread sleeps until there is a batch
        self._hurried_to = 0  # items below this number go at once, without waiting for company
        self._flushes = 0
        self._closing = False
        self._deadline = float("inf")
        self._thread: threading.Thread | None = None
        self._is_held_for_fork = False
        self._health.after_fork()
        self._delivered = self._dropped = self._refused = 0

    def put(self, item: Item, size: int) -> None:
        """Takes `item`, whose size is about `size` bytes; returns at once."""
        overflow = 0
        with self._changed:
            if self._closing:
                self._dropped += 1
                return
            waiting = self._waiting
            waiting.append(_Entry(self._accepted, item, size))
            self._accepted += 1
            self._waiting_bytes += size
            while self._is_over_bound() and len(waiting) > 1:
                oldest = waiting.popleft()
                self._waiting_bytes -= oldest.size
                overflow += 1
                if self._lost is not None:
                    self._lost(oldest.item)
            self._dropped += overflow
            if self._is_gathering and (len(waiting) == 1 or self._has_full_batch()):
                self._is_gathering = False
                self._changed.notify_all()
        if self._thread is None:
            self._start()
        if overflow:
            self._health.overflow(overflow, self.signal)

    def drop(self, count: int) -> None:
        """Counts items that found no room on their way here."""
        with self._changed:
            self._dropped += count
        self._health.overflow(count, self.signal)

    def _is_over_bound(self) -> bool:
        size = self._waiting_bytes + self._in_flight_bytes
        count = len(self._waiting) + self._in_flight
        return size > self._bounds.max_bytes or count > self._bounds.max_items

    def _has_full_batch(self) -> bool:
        return len(self._waiting) >= self._batch_items or self._waiting_bytes >= BATCH_BYTES

    def _start(self) -> None:
        with self._changed:
            if self._thread is not None:
                return
            self._thread = threading.Thread(target=self._run, name=f"spanloop-{self.signal}", daemon=True)
            try:
                self._thread.start()
            except RuntimeError:  # the interpreter is on its way out; `close` sends from its own thread
                self._thread = None

    def stats(self) -> Stats:
        with self._changed:
            waiting = len(self._waiting) + self._in_flight
            return Stats(self._delivered, waiting, self._dropped, self._refused)

    # The public waits.

    def flush(self, timeout_seconds: float) -> bool:
        """Sends everything put before this call; True when it has left within the time."""
        with self._changed:
            target = self._accepted
            self._hurry(target)
            return self._changed.wait_for(lambda: self._first_unresolved() >= target, timeout_seconds)

    def close(self, timeout_seconds: float) -> bool:
        """Takes no more, sends what waits and stops; True when everything has left.

        While the collector is away this waits one second at most, since it will hardly come back now.
        """
        started = time.monotonic()
        with self._changed:
            self._closing = True
            self._deadline = started + timeout_seconds
            self._hurry(self._accepted)
            has_thread = self._thread is not None
        if not has_thread:
            self._run()
        with self._changed:
            while self._first_unresolved() < self._accepted and not self._is_late(started):
                self._changed.wait(min(self._deadline - time.monotonic(), PATIENCE_WHILE_AWAY_SECONDS))
            self._deadline = 0.0
            left = len(self._waiting) + self._in_flight
            self._dropped += left
            self._waiting.clear()
            self._waiting_bytes = 0
            self._changed.notify_all()
        if left:
            log.warning("%d %s were not delivered before the end", left, self.signal)
        return left == 0

    def _is_late(self, started: float) -> bool:
        now = time.monotonic()
        is_away = not self._health.is_well and now - started >= PATIENCE_WHILE_AWAY_SECONDS
        return is_away or now >= self._deadline

    def _hurry(self, target: int) -> None:
        self._hurried_to = max(self._hurried_to, target)
        self._flushes += 1
        self._changed.notify_all()

    def _first_unresolved(self) -> int:
        if self._unresolved_from is not None:
            return self._unresolved_from
        return self._waiting[0].number if self._waiting else self._accepted

    # The thread.

    def _run(self) -> None:
        _suppress_instrumentation()
        try:
            while batch := self._next_batch():
                self._deliver(batch)
                if self._in_flight:  # closing, and time is up
                    return
        except Exception:
            self._forget_in_flight()
            caught(f"the sender of {self.signal}")

    def _forget_in_flight(self) -> None:
        """After a fault of ours: the next `put` starts another thread."""
        with self._changed:
            self._refused += self._in_flight
            self._in_flight = self._in_flight_bytes = 0
            self._unresolved_from = None
            self._thread = None

    def _next_batch(self) -> list[_Entry[Item]]:
        """The next items to send together; empty when closing and nothing is left."""
        with self._changed:
            due = float("inf")
            while not self._is_due(due):
                now = time.monotonic()
                if self._closing and (not self._waiting or now >= self._deadline):
                    return []
                if self._waiting and due == float("inf"):
                    due = now + self._bounds.flush_interval_seconds
                self._is_gathering = True
                self._changed.wait(None if due == float("inf") else max(0.0, due - now))
            self._is_gathering = False
            return self._take()

    def _is_due(self, due: float) -> bool:
        if not self._waiting:
            return False
        is_hurried = self._waiting[0].number < self._hurried_to
        return is_hurried or self._closing or self._has_full_batch() or time.monotonic() >= due

    def _take(self) -> list[_Entry[Item]]:
        batch: list[_Entry[Item]] = []
        size = 0
        while self._waiting and len(batch) < self._batch_items:
            if batch and size + self._waiting[0].size > BATCH_BYTES:
                break
            size += self._waiting[0].size
            batch.append(self._waiting.popleft())
        self._waiting_bytes -= size
        self._in_flight, self._in_flight_bytes = len(batch), size
        self._unresolved_from = batch[0].number
        return batch

    def _deliver(self, batch: Sequence[_Entry[Item]]) -> None:
        """Sends `batch`, in pieces where needed, until it is delivered, refused or time is up."""
        try:
            body = self._encode([entry.item for entry in batch])
        except Exception as error:
            self._split(batch, Outcome(Kind.REFUSED, f"cannot be encoded: {error}"))
            return
        pauses = _pauses()
        while True:
            outcome = self._try(body) if body else Outcome(Kind.DELIVERED)
            if outcome.kind is Kind.DELIVERED:
                self._resolve(batch, outcome.rejected)
                self._health.delivered(outcome)
                return
            if outcome.kind in (Kind.TOO_LARGE, Kind.REFUSED):
                self._split(batch, outcome)
                return
            if self._deadline == 0.0:  # closed meanwhile; nobody needs to know
                return
            self._health.trouble(outcome)
            if not self._pause(outcome, next(pauses)):
                return

    def _try(self, body: bytes) -> Outcome:
        left = self._deadline - time.monotonic()
        timeout = min(self._bounds.request_timeout_seconds, max(left, 0.01))
        with self._sending:
            return self._send(self.signal, body, timeout)

    def _split(self, batch: Sequence[_Entry[Item]], outcome: Outcome) -> None:
        """Halves the batch until the guilty item stands alone, and drops only that one."""
        if len(batch) == 1:
            self._resolve(batch, 1)
            if self._lost is not None:
                self._lost(batch[0].item)
            self._health.refused(1, self.signal, outcome.reason)
            return
        middle = len(batch) // 2
        self._deliver(batch[:middle])
        self._deliver(batch[middle:])

    def _resolve(self, batch: Sequence[_Entry[Item]], rejected: int) -> None:
        rejected = min(rejected, len(batch))
        with self._changed:
            self._in_flight -= len(batch)
            self._in_flight_bytes -= sum(entry.size for entry in batch)
            self._unresolved_from = batch[-1].number + 1 if self._in_flight else None
            self._delivered += len(batch) - rejected
            self._refused += rejected
            self._changed.notify_all()

    def _pause(self, outcome: Outcome, seconds: float) -> bool:
        """Waits before the next try; a flush cuts the wait short. False when time is up."""
        if outcome.kind is Kind.DENIED:
            seconds = DENIED_PAUSE_SECONDS
        elif outcome.retry_after_seconds is not None:
            seconds = min(outcome.retry_after_seconds, LONGEST_ASKED_PAUSE_SECONDS)
        with self._changed:
            self._changed.notify_all()
            flushes = self._flushes
            seconds = min(seconds, max(0.0, self._deadline - time.monotonic()))
            self._changed.wait_for(lambda: self._flushes != flushes or self._deadline == 0.0, seconds)
            return time.monotonic() < self._deadline

    # Around a fork.

    def before_fork(self, timeout_seconds: float) -> None:
        """Keeps requests from being under way at the fork, which gRPC does not survive."""
        self._is_held_for_fork = self._sending.acquire(timeout=timeout_seconds)

    def after_fork_in_parent(self) -> None:
        if self._is_held_for_fork:
            self._is_held_for_fork = False
            self._sending.release()


def _pauses() -> Iterator[float]:
    seconds = FIRST_PAUSE_SECONDS
    while True:
        yield seconds * random.uniform(0.8, 1.2)
        seconds = min(seconds * 2, LONGEST_PAUSE_SECONDS)


def _suppress_instrumentation() -> None:
    """Keeps the application's tracing of gRPC and HTTP off our own requests."""
    from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, attach, set_value

    attach(set_value(_SUPPRESS_INSTRUMENTATION_KEY, True))
