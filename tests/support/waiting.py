"""Waiting for something to become true, with a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")

POLL_SECONDS = 0.02


def wait_until(probe: Callable[[], Value], *, what: str, timeout: float = 30.0, poll: float = POLL_SECONDS) -> Value:
    """The first truthy answer of `probe`; fails naming `what` when none comes in `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not (answer := probe()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout:g} s: {what}; last answer: {answer!r}")
        time.sleep(poll)
    return answer
