"""A bounded queue and the thread that empties it into the collector, for as long as the process lives.

`put` never waits: beyond the bound the oldest waiting items are dropped and counted, so that what is left after an
outage is the latest, in one piece. A batch that could not be delivered stays at the head and is tried again, however
long that takes. Both bounds count what waits and what is being sent.

With a spill, a queue that is half full moves its oldest items to disk, in a thread of its own; at the end of the
process goes there what could not be delivered. It is sent when the collector is back, in turns with what is new.
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
from spanloop._mover import Mover
from spanloop._overflow import Counts, Overflow
from spanloop._spill import Spill
from spanloop._transport import Kind, Outcome

Item = TypeVar("Item")

BATCH_ITEMS = 512  # go at once, without waiting for more
MAX_BATCH_ITEMS = 4096  # go together, where so many wait
BATCH_BYTES = 7 * 1024 * 1024 // 2  # in memory; other collectors than ours take 4 MiB
FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 5.0
DENIED_PAUSE_SECONDS = 30.0
LONGEST_ASKED_PAUSE_SECONDS = 60.0
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
        spill: Spill | None = None,
    ) -> None:
        """`lost` is told each item that was dropped or refused."""
        self.signal = signal
        self._bounds = bounds
        self._health = health
        self._encode = encode
        self._send = send
        self._batch_items = batch_items
        # What is being sent cannot make room any more, so it is a small part of the queue.
        self._max_batch_items = min(MAX_BATCH_ITEMS, max(bounds.max_items // 8, 1)) if batch_items > 1 else 1
        self._lost = lost
        self._overflow: Overflow[Item] | None = None
        self._mover: Mover[Item] | None = None
        if spill is not None:
            self._overflow = Overflow(signal, spill, health, encode)
            self._mover = Mover(signal, self._overflow, take=self._take_to_move, moved=self._moved)
        self.after_fork()
        if self._overflow is not None and self._overflow.is_busy:  # left by a process before this one
            self._start()

    def after_fork(self) -> None:
        """Starts empty: what waited is the parent's to deliver."""
        self._changed = threading.Condition()  # protects everything below
        self._sending = threading.Lock()  # held while a request is under way; a fork waits for it
        self._waiting: deque[_Entry[Item]] = deque()
        self._waiting_bytes = 0
        self._in_flight = self._in_flight_bytes = 0
        self._under_way: list[_Entry[Item]] = []  # being sent and not resolved yet
        self._moving: list[_Entry[Item]] = []  # on their way to disk
        self._has_moved = False  # to disk, since the sender last looked there
        self._accepted = 0
        self._is_gathering = False  # the thread sleeps until there is a batch
        self._hurried_to = 0  # items below this number go at once, without waiting for company
        self._flushes = 0
        self._closing = False
        self._deadline = float("inf")
        self._thread: threading.Thread | None = None
        self._is_held_for_fork = False
        self._health.after_fork()
        if self._overflow is not None:
            self._overflow.after_fork()
        if self._mover is not None:
            self._mover.after_fork()
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
        if self._mover is not None and self._is_filled(2) and self._mover.is_idle:
            self._mover.start()
        if overflow:
            self._say_overflow(overflow)

    def drop(self, count: int) -> None:
        """Counts items that found no room on their way here."""
        with self._changed:
            self._dropped += count
        self._say_overflow(count)

    def _say_overflow(self, count: int) -> None:
        self._health.overflow(count, f"queue of {self.signal}", self._bounds.set_by)

    def _is_over_bound(self) -> bool:
        size = self._waiting_bytes + self._in_flight_bytes
        count = len(self._waiting) + self._in_flight
        return size > self._bounds.max_bytes or count > self._bounds.max_items

    def _is_filled(self, part: int) -> bool:
        """Whether more than one half, third, … of the bound is taken."""
        size = self._waiting_bytes + self._in_flight_bytes
        count = len(self._waiting) + self._in_flight
        return size > self._bounds.max_bytes // part or count > self._bounds.max_items // part

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
            waiting = len(self._waiting) + len(self._moving) + self._in_flight
            disk = self._overflow.counts if self._overflow is not None else Counts()
            return Stats(
                self._delivered + disk.delivered,
                waiting,
                self._dropped + disk.dropped,
                self._refused + disk.refused,
                disk.spilled,
            )

    def fullness(self) -> float:
        """The part of the bound that is taken, from 0 to 1: for senders that can wait rather than lose anything."""
        size = (self._waiting_bytes + self._in_flight_bytes) / self._bounds.max_bytes
        return max(size, (len(self._waiting) + self._in_flight) / self._bounds.max_items)

    # The public waits.

    def flush(self, timeout_seconds: float) -> bool:
        """Sends everything put before this call, and what is on disk; True when it has left within the time."""
        deadline = time.monotonic() + timeout_seconds
        with self._changed:
            target = self._accepted
            self._hurry(target)
            has_left = self._changed.wait_for(lambda: self._first_unresolved() >= target, timeout_seconds)
        while has_left and self._is_disk_busy():
            with self._changed:
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(min(left, 0.1))
        return has_left

    def _is_disk_busy(self) -> bool:
        return self._overflow is not None and self._overflow.is_busy

    def close(self, timeout_seconds: float) -> bool:
        """Takes no more, sends what waits and stops; True when everything has left.

        While the collector is away this waits one second at most, since it will hardly come back now. What is left
        goes to disk where there is a spill.
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
            while (self._first_unresolved() < self._accepted or self._is_disk_busy()) and not self._is_late(started):
                self._changed.wait(min(self._deadline - time.monotonic(), PATIENCE_WHILE_AWAY_SECONDS))
            self._deadline = 0.0
            left = [*self._under_way, *self._waiting]
            self._waiting.clear()
            self._waiting_bytes = 0
            self._changed.notify_all()
        if left and self._overflow is not None:
            left = self._move_all(self._overflow, left)
        with self._changed:
            self._dropped += len(left)
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
        self._changed.notify_all()

    def _first_unresolved(self) -> int:
        first = [entries[0].number for entries in (self._under_way, self._moving, self._waiting) if entries]
        return min(first, default=self._accepted)

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
            self._under_way = []
            self._thread = None

    def _next_batch(self, *, waits: bool = True) -> list[_Entry[Item]] | None:
        """The next items to send together; none when it is time to look at the disk, None when all is done."""
        look_again_at = time.monotonic() + LOOK_AT_DISK_SECONDS if self._overflow is not None else float("inf")
        with self._changed:
            due = float("inf")
            while not self._is_due(due):
                now = time.monotonic()
                if self._closing and (now >= self._deadline or (waits and not self._waiting)):
                    return None
                if not waits or now >= look_again_at or self._has_news_from_disk():
                    return []
                if self._waiting and due == float("inf"):
                    due = now + self._bounds.flush_interval_seconds
                self._is_gathering = True
                wake_at = min(due, look_again_at)
                self._changed.wait(None if wake_at == float("inf") else max(0.0, wake_at - now))
            self._is_gathering = False
            return self._take()

    def _has_news_from_disk(self) -> bool:
        """Whether something was moved to disk since the disk was last looked at."""
        has_news, self._has_moved = self._has_moved, False
        return has_news

    def _is_due(self, due: float) -> bool:
        if not self._waiting:
            return False
        is_hurried = self._waiting[0].number < self._hurried_to
        return is_hurried or self._closing or self._has_full_batch() or time.monotonic() >= due

    def _take(self) -> list[_Entry[Item]]:
        batch, size = self._take_oldest()
        self._in_flight, self._in_flight_bytes = len(batch), size
        self._under_way = list(batch)
        return batch

    def _take_oldest(self) -> tuple[list[_Entry[Item]], int]:
        batch: list[_Entry[Item]] = []
        size = 0
        while self._waiting and len(batch) < self._max_batch_items:
            if batch and size + self._waiting[0].size > BATCH_BYTES:
                break
            size += self._waiting[0].size
            batch.append(self._waiting.popleft())
        self._waiting_bytes -= size
        return batch, size

    def _deliver(self, batch: Sequence[_Entry[Item]]) -> None:
        """Sends `batch`, in pieces where needed, until it is delivered, refused or time is up."""
        try:
            body = self._encode([entry.item for entry in batch])
        except Exception as error:
            self._split(batch, Outcome(Kind.REFUSED, f"cannot be encoded: {error}"))
            return
        outcome = self._send_until_answered(body) if body else Outcome(Kind.DELIVERED)
        if outcome is None:
            return
        if outcome.kind is Kind.DELIVERED:
            self._resolve(batch, outcome.rejected)
            self._health.delivered(outcome)
        else:
            self._split(batch, outcome)

    def _send_until_answered(self, body: bytes) -> Outcome | None:
        """What the collector says of it in the end: that it has it, or never will; None when time is up."""
        pauses = _pauses()
        while True:
            outcome = self._try(body)
            if outcome.kind in (Kind.DELIVERED, Kind.TOO_LARGE, Kind.REFUSED):
                return outcome
            if self._deadline == 0.0:  # closed meanwhile; nobody needs to know
                return None
            self._health.trouble(outcome)
            if not self._pause(outcome, next(pauses)):
                return None

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
            del self._under_way[: len(batch)]
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

    # To disk, and from there.

    def _take_to_move(self) -> list[Item]:
        """The oldest items, until the queue is no more than a quarter full."""
        with self._changed:
            if not self._closing and self._is_filled(4):
                self._moving, _ = self._take_oldest()
            return [entry.item for entry in self._moving]

    def _moved(self, left: Sequence[Item]) -> None:
        """Those left are still here: they wait in memory as long as there is room."""
        with self._changed:
            back = _entries_of(left, self._moving)
            self._waiting.extendleft(reversed(back))
            self._waiting_bytes += sum(entry.size for entry in back)
            self._moving, self._has_moved = [], True
            self._changed.notify_all()

    def _move_all(self, overflow: Overflow[Item], entries: list[_Entry[Item]]) -> list[_Entry[Item]]:
        """Writes all that could not be delivered in time; what the disk refused."""
        if self._mover is not None:
            self._mover.wait(LONGEST_PAUSE_SECONDS)
        left: list[Item] = []
        for start in range(0, len(entries), self._batch_items):
            left += overflow.write([entry.item for entry in entries[start : start + self._batch_items]])
        return _entries_of(left, entries)

    def _send_from_disk(self) -> bool:
        if self._overflow is None or (self._closing and time.monotonic() >= self._deadline):
            return False
        has_sent = self._overflow.send_one(self._send_until_answered)
        if has_sent:
            with self._changed:
                self._changed.notify_all()
        return has_sent

    # Around a fork.

    def before_fork(self, timeout_seconds: float) -> None:
        """Keeps requests from being under way at the fork, which gRPC does not survive."""
        self._is_held_for_fork = self._sending.acquire(timeout=timeout_seconds)

    def after_fork_in_parent(self) -> None:
        if self._is_held_for_fork:
            self._is_held_for_fork = False
            self._sending.release()


def _entries_of(items: Sequence[Item], entries: Sequence[_Entry[Item]]) -> list[_Entry[Item]]:
    wanted = set(map(id, items))
    return [entry for entry in entries if id(entry.item) in wanted]


def _pauses() -> Iterator[float]:
    seconds = FIRST_PAUSE_SECONDS
    while True:
        yield seconds * random.uniform(0.8, 1.2)
        seconds = min(seconds * 2, LONGEST_PAUSE_SECONDS)


def _suppress_instrumentation() -> None:
    """Keeps the application's tracing of gRPC and HTTP off our own requests."""
    from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, attach, set_value

    attach(set_value(_SUPPRESS_INSTRUMENTATION_KEY, True))
