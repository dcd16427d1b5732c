"""The items of one signal between being logged and being delivered: bounded, counted, and each in one place.

An item waits, is on its way to the collector, or on its way to disk. Beyond the bound, which counts what waits and what
is being sent, the oldest waiting ones are dropped, so that what is left after an outage is the latest, in one piece.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

Item = TypeVar("Item")

BATCH_ITEMS = 512  # go at once, without waiting for more
MAX_BATCH_ITEMS = 4096  # go together, where so many wait
BATCH_BYTES = 7 * 1024 * 1024 // 2  # in memory; other collectors than ours take 4 MiB


class Entry(NamedTuple, Generic[Item]):
    """One item, numbered in the order of arrival."""

    number: int
    item: Item
    size: int


class Queue(Generic[Item]):
    """`changed` protects all of it; who calls a method other than `put` and `fullness` holds it."""

    def __init__(
        self, max_bytes: int, max_items: int, *, batch_items: int, lost: Callable[[Item], object] | None
    ) -> None:
        """`lost` is told each item that was dropped."""
        self._max_bytes = max_bytes
        self._max_items = max_items
        self._batch_items = batch_items
        # What is being sent cannot make room any more, so it is a small part of the queue.
        self._max_batch_items = min(MAX_BATCH_ITEMS, max(max_items // 8, 1)) if batch_items > 1 else 1
        self._lost = lost
        self.reset()

    def reset(self) -> None:
        """Empty, as at the start; in a forked child nobody holds the lock."""
        self.changed = threading.Condition()
        self.waiting: deque[Entry[Item]] = deque()
        self._waiting_bytes = 0
        self.in_flight = self._in_flight_bytes = 0
        self._under_way: list[Entry[Item]] = []  # being sent and not resolved yet
        self._moving: list[Entry[Item]] = []  # on their way to disk
        self.accepted = 0
        self.is_closed = False
        self.is_gathering = False  # whoever takes batches sleeps until there is one
        self.delivered = self.dropped = self.refused = 0

    def put(self, item: Item, size: int) -> int:
        """Takes `item`, whose size is about `size` bytes; how many had to be dropped for it."""
        overflow = 0
        with self.changed:
            if self.is_closed:
                self.dropped += 1
                return 0
            waiting = self.waiting
            waiting.append(Entry(self.accepted, item, size))
            self.accepted += 1
            self._waiting_bytes += size
            while self.is_filled(1) and len(waiting) > 1:
                oldest = waiting.popleft()
                self._waiting_bytes -= oldest.size
                overflow += 1
                if self._lost is not None:
                    self._lost(oldest.item)
            self.dropped += overflow
            if self.is_gathering and (len(waiting) == 1 or self.has_full_batch()):
                self.is_gathering = False
                self.changed.notify_all()
        return overflow

    def is_filled(self, part: int) -> bool:
        """Whether more than the bound is taken, or than a half, third, … of it."""
        size = self._waiting_bytes + self._in_flight_bytes
        count = len(self.waiting) + self.in_flight
        return size > self._max_bytes // part or count > self._max_items // part

    def fullness(self) -> float:
        """The part of the bound that is taken, from 0 to 1."""
        size = (self._waiting_bytes + self._in_flight_bytes) / self._max_bytes
        return max(size, (len(self.waiting) + self.in_flight) / self._max_items)

    def has_full_batch(self) -> bool:
        return len(self.waiting) >= self._batch_items or self._waiting_bytes >= BATCH_BYTES

    def unresolved(self) -> int:
        """How many are still here."""
        return len(self.waiting) + len(self._moving) + self.in_flight

    def first_unresolved(self) -> int:
        """The number of the oldest that is still here; of the next to come, if none is."""
        first = [entries[0].number for entries in (self._under_way, self._moving, self.waiting) if entries]
        return min(first, default=self.accepted)

    # To the collector.

    def take(self) -> list[Entry[Item]]:
        """The oldest, to be sent together."""
        batch, size = self._take_oldest()
        self.in_flight, self._in_flight_bytes = len(batch), size
        self._under_way = list(batch)
        return batch

    def _take_oldest(self) -> tuple[list[Entry[Item]], int]:
        batch: list[Entry[Item]] = []
        size = 0
        while self.waiting and len(batch) < self._max_batch_items:
            if batch and size + self.waiting[0].size > BATCH_BYTES:
                break
            size += self.waiting[0].size
            batch.append(self.waiting.popleft())
        self._waiting_bytes -= size
        return batch, size

    def resolve(self, batch: Sequence[Entry[Item]], rejected: int) -> None:
        """The first of those being sent have an answer; so many of them were refused."""
        rejected = min(rejected, len(batch))
        self.in_flight -= len(batch)
        self._in_flight_bytes -= sum(entry.size for entry in batch)
        del self._under_way[: len(batch)]
        self.delivered += len(batch) - rejected
        self.refused += rejected
        self.changed.notify_all()

    def forget_in_flight(self) -> None:
        """Gives up what is being sent."""
        self.refused += self.in_flight
        self.in_flight = self._in_flight_bytes = 0
        self._under_way = []

    # To disk.

    def take_to_move(self) -> list[Item]:
        """The oldest, until no more than a quarter of the bound is taken."""
        if not self.is_closed and self.is_filled(4):
            self._moving, _ = self._take_oldest()
        return [entry.item for entry in self._moving]

    def moved(self, left: Sequence[Item]) -> None:
        """Those left wait here again, as long as there is room."""
        back = entries_of(left, self._moving)
        self.waiting.extendleft(reversed(back))
        self._waiting_bytes += sum(entry.size for entry in back)
        self._moving = []
        self.changed.notify_all()

    def take_all(self) -> list[Entry[Item]]:
        """All that were not delivered, at the end."""
        left = [*self._under_way, *self.waiting]
        self.waiting.clear()
        self._waiting_bytes = 0
        self.changed.notify_all()
        return left


def entries_of(items: Sequence[Item], entries: Sequence[Entry[Item]]) -> list[Entry[Item]]:
    """The entries of those items."""
    wanted = set(map(id, items))
    return [entry for entry in entries if id(entry.item) in wanted]
