"""Waiting for something to become true, with a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")

POLL_SECONDS = 0.02
# A probe may be a statement: asked without a pause, it takes the processor from what is waited for.
PAUSES_PER_PROBE = 3
MAX_PAUSE_SECONDS = 1.0


def wait_until(probe: Callable[[], Value], *, what: str, timeout: float = 30.0, poll: float = POLL_SECONDS) -> Value:
    """The first truthy answer of `probe`; fails naming `what` when none comes in `timeout` seconds.

    It is asked again after `poll` seconds, or later when it takes long to answer.
    """
    deadline = time.monotonic() + timeout
    while True:
        asked = time.monotonic()
        if answer := probe():
            return answer
        answered = time.monotonic()
        if answered > deadline:
            raise AssertionError(f"not within {timeout:g} s: {what}; last answer: {answer!r}")
        time.sleep(max(poll, min(PAUSES_PER_PROBE * (answered - asked), MAX_PAUSE_SECONDS)))
