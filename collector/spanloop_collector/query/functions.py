"""Which functions SQL from outside may call: those of functions.txt and nothing else."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import NamedTuple

TABLE_FUNCTIONS = frozenset({"generate_series", "generateseries", "numbers", "values", "zeros"})
"""Functions in FROM that make their own rows."""

UNLISTED_FUNCTIONS = frozenset({"lambda", "exists", "grouping", "interval", "untuple"})
"""Part of the language; `system.functions` does not list them."""

COMBINATORS = (
    "simplestate",
    "mergestate",
    "ordefault",
    "distinct",
    "resample",
    "foreach",
    "argmin",
    "argmax",
    "ornull",
    "array",
    "merge",
    "state",
    "null",
    "map",
    "if",
)
"""Suffixes of aggregate functions, lower case."""


class FunctionNames(NamedTuple):
    """The allowed names, lower case."""

    functions: frozenset[str]
    aggregates: frozenset[str]
    higher_order: frozenset[str]


@cache
def allowed_names() -> FunctionNames:
    """The sections of functions.txt."""
    sections: dict[str, list[str]] = {name: [] for name in FunctionNames._fields}
    section = sections["functions"]
    for line in (files(__package__) / "functions.txt").read_text().splitlines():
        if line.startswith("["):
            section = sections[line.strip("[]")]
        elif not line.startswith("#"):
            section += line.lower().split()
    return FunctionNames(**{name: frozenset(names) for name, names in sections.items()})


def is_allowed_function(name: str) -> bool:
    """True for a function that reads nothing but its arguments."""
    name = name.lower()
    if name in allowed_names().functions or name in UNLISTED_FUNCTIONS:
        return True
    return is_allowed_aggregate(name)


def is_allowed_aggregate(name: str) -> bool:
    """True for an allowed aggregate function with any combinators; lower case."""
    if name in allowed_names().aggregates:
        return True
    return any(
        is_allowed_aggregate(name.removesuffix(suffix))
        for suffix in COMBINATORS
        if name.endswith(suffix) and name != suffix
    )


def is_allowed_table_function(name: str) -> bool:
    """True for a table function that reaches nothing outside the statement."""
    return name.lower() in TABLE_FUNCTIONS
