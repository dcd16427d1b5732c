"""Keeps spanloop's own faults out of the application.

Whatever runs inside somebody else's call passes through `guarded`: a fault of ours is logged once per
place and the application goes on without it. Our tests set `strict` so that the fault surfaces.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

log = logging.getLogger("spanloop")

strict = False
"""True lets faults through; set by spanloop's own tests."""

_reported: set[str] = set()


def guarded(function: Callable[P, R]) -> Callable[P, R | None]:
    """A version of `function` that logs an unexpected exception and returns None instead of raising."""

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R | None:
        try:
            return function(*args, **kwargs)
        except Exception:
            caught(function.__qualname__)
            return None

    return call


def caught(place: str) -> None:
    """Reports the exception being handled, once per place; raises it again when strict."""
    if strict:
        raise
    if place not in _reported:
        _reported.add(place)
        log.exception("spanloop failed in %s; the application goes on without this piece of trace", place)
