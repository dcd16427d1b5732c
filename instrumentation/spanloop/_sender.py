"""Hands batches to the collector: again until it has an answer, and in halves where one item spoils the rest."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Generic

from spanloop._health import Health
from spanloop._queue import Entry, Item
from spanloop._transport import Kind, Outcome

FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 5.0
DENIED_PAUSE_SECONDS = 30.0
LONGEST_ASKED_PAUSE_SECONDS = 60.0
SHORTEST_TRY_SECONDS = 0.01

OVER = -float("inf")


class Sender(Generic[Item]):
    """The way of one signal's batches. Called by one thread at a time."""

    def __init__(
        self,
        signal: str,
        health: Health,
        *,
        encode: Callable[[Sequence[Item]], bytes],
        send: Callable[[str, bytes, float], Outcome],
        request_timeout_seconds: float,
        time_left: Callable[[], float],
        pause: Callable[[float], bool],
        resolve: Callable[[Sequence[Entry[Item]], int], None],
        lost: Callable[[Item], object] | None,
    ) -> None:
        """`time_left` says how many seconds there are: usually no end of them, and `OVER` once nobody waits any more.

        `pause` waits, and says whether there is time for another try; `resolve` is told of items that have an answer,
        with the number of those that were refused; `lost` is told each that was refused alone.
        """
        self._signal = signal
        self._health = health
        self._encode = encode
        self._send = send
        self._request_timeout_seconds = request_timeout_seconds
        self._time_left = time_left
        self._pause = pause
        self._resolve = resolve
        self._lost = lost
        self.after_fork()

    def after_fork(self) -> None:
        self._sending = threading.Lock()  # held while a request is under way; a fork waits for it
        self._is_held_for_fork = False

    def deliver(self, batch: Sequence[Entry[Item]]) -> None:
        """Until all of it is delivered or refused, or time is up."""
        try:
            body = self._encode([entry.item for entry in batch])
        except Exception as error:
            self._split(batch, Outcome(Kind.REFUSED, f"cannot be encoded: {error}"))
            return
        outcome = self.send_until_answered(body) if body else Outcome(Kind.DELIVERED)
        if outcome is None:
            return
        if outcome.kind is Kind.DELIVERED:
            self._resolve(batch, outcome.rejected)
            self._health.delivered(outcome)
        else:
            self._split(batch, outcome)

    def send_until_answered(self, body: bytes) -> Outcome | None:
        """What the collector says of it in the end: that it has it, or never will; None when time is up."""
        pauses = _pauses()
        while True:
            outcome = self._try(body)
            if outcome.kind in (Kind.DELIVERED, Kind.TOO_LARGE, Kind.REFUSED):
                return outcome
            if self._time_left() == OVER:  # nobody needs to know
                return None
            self._health.trouble(outcome)
            if not self._pause(_seconds_before_the_next(outcome, next(pauses))):
                return None

    def _try(self, body: bytes) -> Outcome:
        timeout = min(self._request_timeout_seconds, max(self._time_left(), SHORTEST_TRY_SECONDS))
        with self._sending:
            return self._send(self._signal, body, timeout)

    def _split(self, batch: Sequence[Entry[Item]], outcome: Outcome) -> None:
        """Halves the batch until the guilty item stands alone, and drops only that one."""
        if len(batch) == 1:
            self._resolve(batch, 1)
            if self._lost is not None:
                self._lost(batch[0].item)
            self._health.refused(1, self._signal, outcome.reason)
            return
        middle = len(batch) // 2
        self.deliver(batch[:middle])
        self.deliver(batch[middle:])

    def before_fork(self, timeout_seconds: float) -> None:
        """Keeps requests from being under way at the fork, which gRPC does not survive."""
        self._is_held_for_fork = self._sending.acquire(timeout=timeout_seconds)

    def after_fork_in_parent(self) -> None:
        if self._is_held_for_fork:
            self._is_held_for_fork = False
            self._sending.release()


def _seconds_before_the_next(outcome: Outcome, usually: float) -> float:
    if outcome.kind is Kind.DENIED:
        return DENIED_PAUSE_SECONDS
    if outcome.retry_after_seconds is not None:
        return min(outcome.retry_after_seconds, LONGEST_ASKED_PAUSE_SECONDS)
    return usually


def _pauses() -> Iterator[float]:
    seconds = FIRST_PAUSE_SECONDS
    while True:
        yield seconds * random.uniform(0.8, 1.2)
        seconds = min(seconds * 2, LONGEST_PAUSE_SECONDS)
