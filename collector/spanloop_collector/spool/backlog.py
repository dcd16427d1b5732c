"""How much of a signal waits on disk, as numbers and as gauges."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from spanloop_collector.spool.segment import SealedSegment
from spanloop_collector.telemetry import SPOOL_BYTES, SPOOL_ITEMS


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits on disk for ClickHouse."""

    bytes: int
    items: int
    """Spans or log records."""
    segments: int
    """Sealed ones, those in an insert included."""
    oldest_age_seconds: float
    """Age of the oldest waiting request; 0 when nothing waits."""


class Ledger:
    """Counts what enters and leaves a spool; any thread may call it."""

    def __init__(self, signal: str) -> None:
        # Protects everything below: a writer removes segments from a thread of its own.
        self._lock = threading.Lock()
        self._bytes = self._items = 0
        self._sealed: dict[str, SealedSegment] = {}
        self._bytes_gauge = SPOOL_BYTES.labels(signal)
        self._items_gauge = SPOOL_ITEMS.labels(signal)

    @property
    def byte_count(self) -> int:
        """Bytes on disk, the active segment included."""
        return self._bytes

    @property
    def has_sealed(self) -> bool:
        """Whether segments wait for ClickHouse or are being inserted."""
        return bool(self._sealed)

    def add(self, *, byte_count: int, item_count: int) -> None:
        """Counts requests that are durable now."""
        with self._lock:
            self._change(byte_count, item_count)

    def add_sealed(self, segment: SealedSegment) -> None:
        """Knows a segment, whose requests were counted before, by its age."""
        with self._lock:
            self._sealed[segment.token] = segment

    def remove(self, segment: SealedSegment) -> None:
        """Takes a segment and its requests away; a second time changes nothing."""
        with self._lock:
            if self._sealed.pop(segment.token, None):
                self._change(-segment.byte_count, -segment.item_count)

    def backlog(self, *, active_age_seconds: float) -> Backlog:
        """The numbers now."""
        with self._lock:
            oldest = next(iter(self._sealed.values()), None)
            age = time.time() - oldest.created_unix_nano / 1e9 if oldest else active_age_seconds
            return Backlog(self._bytes, self._items, len(self._sealed), max(age, 0.0))

    def _change(self, byte_count: int, item_count: int) -> None:
        self._bytes += byte_count
        self._items += item_count
        self._bytes_gauge.set(self._bytes)
        self._items_gauge.set(self._items)
