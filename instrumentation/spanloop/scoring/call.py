"""Calls any scorer: a function, sync or async, or an object of `autoevals`, and says what it returned as scores.

A scorer is a function of any of `input`, `output`, `expected`, `metadata` and `trace`, in any order; those that it
does not name it is not given.
"""

from __future__ import annotations

import asyncio
import hashlib
import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from spanloop.scoring.score import Score, ScoreError, scores_of
from spanloop.scoring.trace import Trace

Scorer: TypeAlias = Callable[..., Any]

ARGUMENTS = ("input", "output", "expected", "metadata", "trace")

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def call_scorer(
    scorer: Scorer,
    *,
    input: Any = None,
    output: Any = None,
    expected: Any = None,
    metadata: Mapping[str, Any] | None = None,
    trace: Trace | None = None,
) -> list[Score]:
    """The scores that the scorer gives; blocks, and runs an async scorer in an event loop of its own.

    Raises whatever the scorer raises, and ScoreError for what is no score. A score of None means skipped.
    """
    arguments = _arguments(scorer, input, output, expected, metadata, trace)
    returned = _prepared(scorer)(**arguments)
    if inspect.isawaitable(returned):
        returned = asyncio.run(_wait_for(returned))
    return scores_of(scorer_name(scorer), returned)


async def call_scorer_async(
    scorer: Scorer,
    *,
    input: Any = None,
    output: Any = None,
    expected: Any = None,
    metadata: Mapping[str, Any] | None = None,
    trace: Trace | None = None,
) -> list[Score]:
    """Like `call_scorer`, without blocking: an async scorer runs here, any other in a thread."""
    arguments = _arguments(scorer, input, output, expected, metadata, trace)
    asynchronous = _async_version(scorer)
    if asynchronous is not None:
        returned = await asynchronous(**arguments)
    else:
        returned = await asyncio.to_thread(_prepared(scorer), **arguments)
        if inspect.isawaitable(returned):
            returned = await returned
    return scores_of(scorer_name(scorer), returned)


def check_scorer(scorer: Scorer) -> None:
    """Raises ScoreError for one that could never be called: it asks for what no scorer is given."""
    if not is_autoevals(scorer):
        _refuse_unknown(scorer, _parameters(scorer))


def wants_trace(scorer: Scorer) -> bool:
    """Whether the scorer names `trace` among its parameters; reading a trace costs a query."""
    return not is_autoevals(scorer) and "trace" in _parameters(scorer)


def scorer_name(scorer: Scorer) -> str:
    """What its scores are called when they do not say: what `@scorer(name=…)` gave, else the function's name."""
    given = getattr(scorer, "scorer_name", None) or getattr(getattr(scorer, "func", None), "scorer_name", None)
    if given:
        return str(given)
    if is_autoevals(scorer):
        return scorer.__name__ if isinstance(scorer, type) else str(scorer._name())  # type: ignore[attr-defined]
    function = getattr(scorer, "func", scorer)
    name = getattr(function, "__name__", type(function).__name__)
    return "scorer" if name == "<lambda>" else str(name)


def scorer_version(scorer: Scorer) -> str:
    """A name for the scorer's content: what `@scorer(version=…)` gave, else 12 digits of its source code's hash."""
    given = getattr(scorer, "scorer_version", None)
    if given:
        return str(given)
    function = getattr(scorer, "func", scorer)
    try:
        source = inspect.getsource(
            function if inspect.isroutine(function) or inspect.isclass(function) else type(function)
        )
    except (OSError, TypeError):
        source = (
            f"{getattr(function, '__module__', '')}.{getattr(function, '__qualname__', type(function).__qualname__)}"
        )
    settings = repr((getattr(scorer, "args", ()), sorted(getattr(scorer, "keywords", {}).items())))
    return hashlib.sha256(f"{source}\0{settings}".encode()).hexdigest()[:12]


def is_autoevals(scorer: object) -> bool:
    """Whether it is a scorer of the `autoevals` library, or of one with the same interface: a class or an object."""
    return callable(getattr(scorer, "eval_async", None)) and callable(getattr(scorer, "_run_eval_sync", None))


def _prepared(scorer: Scorer) -> Scorer:
    """Something to call: `autoevals.Levenshtein` may be given without the parentheses."""
    return scorer() if isinstance(scorer, type) else scorer


def _async_version(scorer: Scorer) -> Callable[..., Any] | None:
    if is_autoevals(scorer):
        method: Callable[..., Any] = _prepared(scorer).eval_async  # type: ignore[attr-defined]
        return method
    called = scorer if inspect.isroutine(scorer) else getattr(scorer, "__call__", scorer)  # noqa: B004 - the method
    return scorer if inspect.iscoroutinefunction(called) else None


def _arguments(
    scorer: Scorer, input: Any, output: Any, expected: Any, metadata: Mapping[str, Any] | None, trace: Trace | None
) -> dict[str, Any]:
    given = {
        "input": input,
        "output": output,
        "expected": expected,
        "metadata": dict(metadata or {}),
        "trace": trace if trace is not None else Trace(),
    }
    if is_autoevals(scorer):
        # Their templates are filled with every argument: a trace would only be in the way.
        return {name: value for name, value in given.items() if name != "trace"}
    parameters = _parameters(scorer)
    if any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters.values()):
        return given
    _refuse_unknown(scorer, parameters)
    return {name: value for name, value in given.items() if name in parameters}


def _parameters(scorer: Scorer) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(scorer).parameters
    except (TypeError, ValueError):
        raise ScoreError(f"scorer {scorer_name(scorer)!r} has no signature to read; wrap it in a function") from None


def _refuse_unknown(scorer: Scorer, parameters: Mapping[str, inspect.Parameter]) -> None:
    for name, parameter in parameters.items():
        is_needed = parameter.default is inspect.Parameter.empty and parameter.kind in (
            *_POSITIONAL,
            inspect.Parameter.KEYWORD_ONLY,
        )
        if is_needed and (name not in ARGUMENTS or parameter.kind is inspect.Parameter.POSITIONAL_ONLY):
            names = ", ".join(ARGUMENTS)
            raise ScoreError(f"scorer {scorer_name(scorer)!r} asks for {name!r}; scorers are given any of {names}")


async def _wait_for(awaitable: Any) -> Any:
    return await awaitable
