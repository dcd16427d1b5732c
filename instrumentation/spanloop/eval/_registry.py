"""Evals and reporters that files define while `spanloop eval` loads them, to be run afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spanloop.eval._evaluator import Evaluator
    from spanloop.eval._report import Reporter


@dataclass
class Registry:
    """What has been defined so far."""

    evaluators: list[Evaluator] = field(default_factory=list)
    reporters: dict[str, Reporter] = field(default_factory=dict)


_loading: ContextVar[Registry | None] = ContextVar("spanloop_eval_loading", default=None)
_known = Registry()


def loading() -> Registry | None:
    """Where definitions go instead of being run; None outside of `spanloop eval`."""
    return _loading.get()


def add_reporter(reporter: Reporter) -> None:
    """Makes the reporter known by its name."""
    registry = _loading.get()
    (registry or _known).reporters[reporter.name] = reporter


def find_reporter(name: str) -> Reporter | None:
    """The reporter of that name."""
    registry = _loading.get() or _known
    return registry.reporters.get(name) or _known.reporters.get(name)


@contextmanager
def collecting() -> Iterator[Registry]:
    """Evals and reporters that are defined in the block are collected."""
    token = _loading.set(Registry())
    try:
        registry = _loading.get()
        assert registry is not None
        yield registry
    finally:
        _loading.reset(token)


@contextmanager
def unregistered() -> Iterator[None]:
    """Reporters made in the block are nobody else's."""
    token = _loading.set(Registry())
    try:
        yield
    finally:
        _loading.reset(token)
