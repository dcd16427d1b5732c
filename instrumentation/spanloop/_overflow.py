"""What a queue moves to disk and sends from there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from spanloop._health import Health
from spanloop._spill import Spill, SpilledRequest
from spanloop._transport import Kind, Outcome

Item = TypeVar("Item")

SIZE_IS_SET_BY = "SPANLOOP_MAX_SPILL_BYTES"


@dataclass(slots=True)
class Counts:
    """What became of the items that went to disk, or were found there."""

    spilled: int = 0
    delivered: int = 0
    dropped: int = 0
    refused: int = 0


class Overflow(Generic[Item]):
    """One signal's side of the disk. Each method is called by one thread at a time."""

    def __init__(self, signal: str, spill: Spill, health: Health, encode: Callable[[Sequence[Item]], bytes]) -> None:
        self._signal = signal
        self._spill = spill
        self._health = health
        self._encode = encode
        self.after_fork()

    def after_fork(self) -> None:
        self._spill.after_fork()
        self._is_sending = False
        self.counts = Counts()

    @property
    def is_busy(self) -> bool:
        """Whether anything waits on disk, or is being sent from there."""
        # In this order: a request is marked as being sent before it is taken off the disk.
        return not self._spill.is_empty() or self._is_sending

    def write(self, items: Sequence[Item]) -> Sequence[Item]:
        """Moves items to disk; those that the disk refused."""
        try:
            body = self._encode(items)
        except Exception as error:
            return self._one_by_one(items, error)
        try:
            dropped = self._spill.write(body, len(items)) if body else 0
        except OSError as error:
            self._health.disk_refused(str(error))
            return items
        self.counts.spilled += len(items)
        if dropped:
            self.counts.dropped += dropped
            self._health.overflow(dropped, f"spill of {self._signal}", SIZE_IS_SET_BY)
        return ()

    def _one_by_one(self, items: Sequence[Item], error: Exception) -> Sequence[Item]:
        """So that what cannot be encoded costs no other."""
        if len(items) == 1:
            self.counts.refused += 1
            self._health.refused(1, self._signal, f"cannot be encoded: {error}")
            return ()
        return [left for item in items for left in self.write([item])]

    def send_one(self, send: Callable[[bytes], Outcome | None]) -> bool:
        """Sends one request from disk, if there is one that no other process sends; whether it did."""
        self._is_sending = True
        try:
            request = self._spill.claim()
            if request is not None:
                self._resolve(request, send(request.body))
            return request is not None
        except OSError as error:
            self._health.disk_refused(str(error))
            return False
        finally:
            self._is_sending = False

    def _resolve(self, request: SpilledRequest, outcome: Outcome | None) -> None:
        if outcome is None:  # time is up
            request.leave()
            return
        request.remove()
        if outcome.kind is Kind.DELIVERED:
            rejected = min(outcome.rejected, request.count)
            self._health.delivered(outcome)
        else:
            rejected = request.count
            self._health.refused(rejected, self._signal, outcome.reason)
        self.counts.delivered += request.count - rejected
        self.counts.refused += rejected
