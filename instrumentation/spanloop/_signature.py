"""Arguments of a call by name, as the row's input."""

from __future__ import annotations

import inspect
from typing import Any, NamedTuple

BOUND_NAMES = ("self", "cls", "mcs")


class Signature(NamedTuple):
    """Parameter names of a function, read once."""

    positional: tuple[str, ...]
    extra: str
    """Name of `*args`; empty if there is none."""
    skipped: int
    """1 for a method, whose first argument is not input."""

    def named(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """The arguments that were passed, without defaults; `**kwargs` beside the others."""
        values = dict(zip(self.positional[self.skipped :], args[self.skipped :], strict=False))
        if len(args) > len(self.positional):
            values[self.extra or "args"] = args[len(self.positional) :]
        values.update(kwargs)
        return values


def read_signature(target: Any) -> Signature:
    """The signature of a function or of a method descriptor; of an opaque callable, one without names."""
    function = target.__func__ if isinstance(target, staticmethod | classmethod) else target
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return Signature((), "args", 0)
    positional = tuple(
        each.name
        for each in parameters
        if each.kind in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    )
    extra = next((each.name for each in parameters if each.kind is inspect.Parameter.VAR_POSITIONAL), "")
    return Signature(positional, extra, int(_is_method(target, function, positional)))


def _is_method(target: Any, function: Any, positional: tuple[str, ...]) -> bool:
    if isinstance(target, classmethod):
        return True
    if isinstance(target, staticmethod) or not positional:
        return False
    owner = getattr(function, "__qualname__", "").rpartition(".")[0]
    return bool(owner) and not owner.endswith("<locals>") and positional[0] in BOUND_NAMES
