"""The scorers of an eval, looked at once and called for every case."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from spanloop.scoring import Score, ScoreError, Scorer, scorer_name, scores_of
from spanloop.scoring.call import check_scorer, is_autoevals

QUICK_SECONDS = 0.002
"""Scorers that take less than this share a thread, one after another: changing threads would take longer."""

OUR_FILES = str(Path(__file__).parent)

Arguments = dict[str, Any]
NAMES = ("input", "output", "expected", "metadata")
"""What a scorer may be given of a trial."""


class PreparedScorer:
    """One scorer with its name, and what it wants to know."""

    __slots__ = ("_function", "_takes", "is_async", "name", "seconds")

    def __init__(self, scorer: Scorer, name: str) -> None:
        self.name = name
        self.seconds: float | None = None
        """About how long a call takes; None before the first."""
        check_scorer(scorer)
        target: Any = scorer() if isinstance(scorer, type) else scorer
        self._takes: tuple[str, ...] = NAMES
        self._function: Callable[..., Any]
        if is_autoevals(scorer):
            self._function, self.is_async = target.eval_async, True
        else:
            self._function, self._takes = target, _taken(target, name)
            called = target if inspect.isroutine(target) else getattr(target, "__call__", target)  # noqa: B004 - the method
            self.is_async = inspect.iscoroutinefunction(getattr(called, "func", called))

    @property
    def is_quick(self) -> bool:
        """Whether calls have been quick so far."""
        return self.seconds is not None and self.seconds < QUICK_SECONDS

    def took(self, seconds: float) -> None:
        """Remembers how long a call took; one slow call counts for many quick ones."""
        self.seconds = seconds if self.seconds is None else max(seconds, 0.8 * self.seconds + 0.2 * seconds)

    def call(self, arguments: Arguments) -> Any:
        """What the scorer returns, or an awaitable of it."""
        return self._function(**{name: arguments[name] for name in self._takes})

    def scores(self, returned: Any) -> list[Score]:
        """What it returned as scores."""
        return scores_of(self.name, returned)


def prepare_scorers(scorers: Iterable[Scorer]) -> list[PreparedScorer]:
    """Each scorer under a name of its own."""
    prepared: list[PreparedScorer] = []
    taken: set[str] = set()
    for position, scorer in enumerate(scorers):
        if not callable(scorer):
            raise TypeError(f"scores[{position}] is {scorer!r:.100}; expected a function or a scorer of autoevals")
        name = scorer_name(scorer)
        if name == "scorer" or name in taken:
            name = f"{name}_{position}"
        taken.add(name)
        prepared.append(PreparedScorer(scorer, name))
    return prepared


def _taken(target: Any, name: str) -> tuple[str, ...]:
    """Names of the arguments it takes.

    A trace is whole only once everything has arrived, so scorers that need one are for afterwards.
    """
    parameters = inspect.signature(target).parameters
    if "trace" in parameters and parameters["trace"].default is inspect.Parameter.empty:
        raise ScoreError(
            f"scorer {name!r} asks for `trace`, which is not whole while the eval runs; leave it out of scores= and "
            "score the experiment afterwards, with `spanloop experiments score NAME --scorer module:function`"
        )
    if any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters.values()):
        return NAMES
    return tuple(name for name in NAMES if name in parameters)


def as_users_see(error: BaseException) -> BaseException:
    """The error, with a traceback that begins in the user's code rather than in ours."""
    frames = error.__traceback__
    while (
        frames is not None and frames.tb_next is not None and frames.tb_frame.f_code.co_filename.startswith(OUR_FILES)
    ):
        frames = frames.tb_next
    return error.with_traceback(frames)


def error_trace(error: BaseException) -> str:
    """The error with its traceback."""
    return "".join(traceback.format_exception(error))
