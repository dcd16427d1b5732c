"""The syntax of one SQL expression from outside: what is wrong with it is said in places of its own text."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager
from typing import Any, Protocol

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import Error

from spanloop_collector.errors import invalid
from spanloop_collector.query.refusal import from_engine

ALONE = "SELECT\n"
PREFIX = "SELECT (\n"
SUFFIX = "\n) AS expression FROM logs"
FORMAT = "SELECT formatQuerySingleLine({statement:String})"

_PLACE = re.compile(r"position (\d+)((?: \(.*?\))??) \(line \d+, col \d+\)", re.DOTALL)
_FAILED_AT = re.compile(r"failed at position (\d+)")
_END = re.compile(r"at position \d+ \(end of query\) \(line \d+, col \d+\)(?:: .*?)?(?=\. [A-Z(])", re.DOTALL)
_OUR_QUESTION = re.compile(r"(?:\. :|[:.])? ?[Ii]n (?:scope|query) SELECT .*(?=\. \([A-Z_]+\))", re.DOTALL)
_WHILE_EXECUTING = re.compile(r": while executing .*(?=\. \([A-Z_]+\))", re.DOTALL | re.IGNORECASE)


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
        raise invalid(field, _complaint(store, text, error)) from None
    return str(canonical)


def without_our_question(message: str) -> str:
    """The message without the statement that was made around the text, and without where in it that failed."""
    return _WHILE_EXECUTING.sub("", _OUR_QUESTION.sub("", message))


def _complaint(store: FormatDatabase, text: str, refusal: Error) -> str:
    """What is wrong with the text, in the engine's words, without any of ours."""
    message = _message(refusal)
    failed_at = _FAILED_AT.search(message)
    if failed_at and len(PREFIX) < int(failed_at[1]) <= len(PREFIX) + len(text.encode()):
        return _in_own_places(message.replace(SUFFIX, ""), text, before=PREFIX)
    try:
        # Where it fails only in what we put around the text, the text alone does so at its end.
        store.query(FORMAT, {"statement": f"{ALONE}{text}"})
    except Error as error:
        return _in_own_places(_END.sub("at its end", _message(error)), text, before=ALONE)
    return "expected one SQL expression"


def _message(error: Error) -> str:
    text = str(error)
    found = from_engine(text)
    return without_our_question(str(found or text))


def _in_own_places(message: str, text: str, *, before: str) -> str:
    """The message with places counted in characters of the author's text; the engine counts bytes, and ours with it."""

    def place(match: re.Match[str]) -> str:
        read = text.encode()[: max(int(match[1]) - 1 - len(before), 0)].decode(errors="ignore")
        line, column = read.count("\n") + 1, len(read) - (read.rfind("\n") + 1) + 1
        return f"position {len(read) + 1}{match[2]} (line {line}, col {column})"

    return _PLACE.sub(place, message)
