"""The syntax of one SQL expression from outside: what is wrong with it is said in places of its own text."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager
from typing import Any, Protocol

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import Error

from spanloop_collector.api.row_input import invalid
from spanloop_collector.query.refusal import from_engine

PREFIX = "SELECT (\n"
SUFFIX = "\n) AS expression FROM logs"
FORMAT = "SELECT formatQuerySingleLine({statement:String})"

_POSITION = re.compile(r"position (\d+)")
_LINE = re.compile(r"\(line (\d+), col (\d+)\)")
# What follows the author's text is ours.
_ENDS_EARLY = re.compile(r"at position \d+ \(\S+\) \(line \d+, col \d+\): (?:\) )?AS expression FROM logs")
_OUR_QUESTION = re.compile(r"[:.]? ?[Ii]n (?:scope|query) SELECT .*(?=\. \([A-Z_]+\))", re.DOTALL)


class FormatDatabase(Protocol):
    """The store, as far as parsing needs it."""

    def query(self, sql: str, parameters: dict[str, Any] | None = None) -> Any: ...

    def client(self) -> AbstractContextManager[Client]: ...


def select_of(store: FormatDatabase, text: str, *, field: str) -> str:
    """`SELECT (text) AS expression FROM logs` in the engine's own words; blocks.

    Raises InvalidRequestError that says where the text is wrong. That it is one expression is not checked.
    """
    try:
        (canonical,) = store.query(FORMAT, {"statement": f"{PREFIX}{text}{SUFFIX}"}).result_rows[0]
    except Error as error:
        raise invalid(field, _ENDS_EARLY.sub("at its end", _own_position(_message(error)))) from None
    return str(canonical)


def without_our_question(message: str) -> str:
    """The message without the statement that was made around the text."""
    return _OUR_QUESTION.sub("", message)


def _message(error: Error) -> str:
    text = str(error)
    found = from_engine(text)
    return without_our_question(str(found or text))


def _own_position(message: str) -> str:
    """The message with positions counted from the start of the author's text."""
    message = _POSITION.sub(lambda match: f"position {max(int(match[1]) - len(PREFIX), 1)}", message)
    return _LINE.sub(lambda match: f"(line {max(int(match[1]) - 1, 1)}, col {match[2]})", message)
