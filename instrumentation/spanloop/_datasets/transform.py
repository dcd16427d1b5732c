"""A user's function that makes dataset rows of a promoted row, called the way it wants."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from spanloop._datasets.batch import Row

Transform = Callable[[Mapping[str, Any]], list[Row]]

ROW_FIELDS = ("id", "input", "expected", "metadata", "tags", "origin")
FACTS = ("output", "name", "type", "error", "scores", "metrics", "trace_id", "span_id", "created")
MADE_FIELDS = frozenset(ROW_FIELDS)


class TransformError(Exception):
    """A transform failed, or made what is no row."""


def as_transform(function: Callable[..., Any]) -> Transform:
    """The function as one from a promoted row, as the API shows it, to the rows made of it.

    Each row gets an id that follows from the promoted row's, so that doing it again changes nothing, and its origin.
    """
    wanted = _wanted(function)

    def transform(source: Mapping[str, Any]) -> list[Row]:
        row = _flat(source)
        given = {"row": row} if wanted == ("row",) else {name: row[name] for name in wanted}
        try:
            made = _as_list(function(**given))
        except TransformError:
            raise
        except Exception as error:
            raise TransformError(f"row {row['id']!r}: {type(error).__name__}: {error}") from error
        return [_complete(each, row, number, len(made)) for number, each in enumerate(made)]

    return transform


def _wanted(function: Callable[..., Any]) -> tuple[str, ...]:
    """Names of the arguments to call it with."""
    parameters = inspect.signature(function).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return ROW_FIELDS + FACTS
    unknown = [
        name
        for name, parameter in parameters.items()
        if name not in (*ROW_FIELDS, *FACTS, "row") and parameter.default is parameter.empty
    ]
    if unknown or ("row" in parameters and len(parameters) > 1):
        raise TransformError(
            f"transform {getattr(function, '__name__', function)!r} takes {', '.join(parameters)}; "
            f"it may take {', '.join(ROW_FIELDS + FACTS)}, or `row` alone"
        )
    return tuple(name for name in parameters if name in (*ROW_FIELDS, *FACTS, "row"))


def _flat(source: Mapping[str, Any]) -> Row:
    row = {name: source["row"].get(name) for name in ROW_FIELDS}
    row["metadata"] = row["metadata"] or {}
    return row | {name: source[name] for name in FACTS}


def _as_list(made: Any) -> list[Any]:
    if made is None:
        return []
    if isinstance(made, Mapping):
        return [made]
    if isinstance(made, Iterable) and not isinstance(made, str | bytes):
        return list(made)
    raise TransformError(f"a transform gives None, a row or a list of rows, not {type(made).__name__}")


def _complete(made: Any, source: Row, number: int, count: int) -> Row:
    if not isinstance(made, Mapping) or not made.keys() <= MADE_FIELDS:
        shown = ", ".join(sorted(made)) if isinstance(made, Mapping) else type(made).__name__
        raise TransformError(
            f"row {source['id']!r}: a made row is a dict of {', '.join(ROW_FIELDS)}; this one has: {shown}"
        )
    id = source["id"] if count == 1 else f"{source['id']}-{number}"
    row = {"id": id, "origin": source["origin"], **made}
    return {name: value for name, value in row.items() if value is not None}
