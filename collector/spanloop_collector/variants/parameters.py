"""The parameters of a step that may be overridden, and the values they take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from spanloop_collector.api.row_input import is_number
from spanloop_collector.errors import InvalidRequestError

MAX_SYSTEM_CHARACTERS = 1_000_000


class Rule(NamedTuple):
    """What a parameter's value may be."""

    fits: Callable[[Any], bool]
    expected: str


PARAMETERS: Mapping[str, Rule] = {
    "system": Rule(lambda value: isinstance(value, str) and len(value) <= MAX_SYSTEM_CHARACTERS, "a text"),
    "temperature": Rule(lambda value: is_number(value) and 0 <= value <= 2, "a number from 0 to 2"),
    "top_p": Rule(lambda value: is_number(value) and 0 <= value <= 1, "a number from 0 to 1"),
    "max_tokens": Rule(
        lambda value: isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**31,
        "a positive whole number",
    ),
    "model": Rule(lambda value: isinstance(value, str) and 0 < len(value) <= 200, "the name of a model"),
    "verbosity": Rule(lambda value: value in ("low", "medium", "high"), "low, medium or high"),
}


def check_parameter(name: str, value: Any, *, path: str) -> None:
    """Returns for a value that fits its parameter; raises InvalidRequestError naming what would."""
    rule = PARAMETERS.get(name)
    if rule is None:
        raise InvalidRequestError(
            f"{path}: {name!r:.100} cannot be overridden; there are: {', '.join(PARAMETERS)}", field=path
        )
    if not rule.fits(value):
        raise InvalidRequestError(f"{path}: {name} is {value!r:.100}; expected {rule.expected}", field=path)
