"""Changes of a dataset that wait to be sent together, in the order they were made."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from spanloop._api import ApiClient, ApiError
from spanloop._attachments.objects import Attachment
from spanloop._plain import plain

Row = dict[str, Any]
"""A dataset row as JSON has it."""

MAX_ROWS = 1_000
MAX_CHARS = 2 * 1024 * 1024
SHOWN_ERRORS = 3
TOO_LARGE = 413
REFUSED_STATUS = frozenset({400, TOO_LARGE})
"""These rows will never be taken."""


class Change(NamedTuple):
    """One thing done to one row."""

    kind: str
    """insert, update or delete."""
    row: Mapping[str, Any]


class Batch:
    """Waiting changes. Not safe to use from several threads: the dataset holds a lock."""

    def __init__(self) -> None:
        self._changes: list[Change] = []
        self._chars = 0

    def __bool__(self) -> bool:
        return bool(self._changes)

    @property
    def is_full(self) -> bool:
        """Whether it is time to send."""
        return len(self._changes) >= MAX_ROWS or self._chars >= MAX_CHARS

    def add(self, change: Change) -> None:
        """Appends a change. Raises TypeError or ValueError for a value that has no JSON."""
        text = _to_json(change.row)
        # Read back: what the caller does to the value afterwards is not what was inserted.
        self._changes.append(Change(change.kind, json.loads(text)))
        self._chars += len(text)

    def send(self, client: ApiClient, path: str) -> None:
        """Sends everything; raises ApiError for rows that are refused, after sending the others.

        What could not be delivered at all stays and goes with the next try.
        """
        refused: list[str] = []
        while self._changes:
            kind, group = next(itertools.groupby(self._changes, key=lambda change: change.kind))
            rows = [change.row for change in group]
            refused += _send(client, path, kind, rows)
            del self._changes[: len(rows)]
        self._chars = 0
        if refused:
            more = f" and {len(refused) - SHOWN_ERRORS} more" if len(refused) > SHOWN_ERRORS else ""
            raise ApiError("rows were refused: " + "; ".join(refused[:SHOWN_ERRORS]) + more, status=400)


def content_id(input: Any, expected: Any) -> str:
    """The id of a row that has none of its own; the collector makes the same from the same."""
    content = json.loads(_to_json({"expected": expected, "input": input}))
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _send(client: ApiClient, path: str, kind: str, rows: list[Mapping[str, Any]]) -> list[str]:
    """The faults of rows that were refused. What is too large goes in halves: a huge row costs no other."""
    try:
        return _post(client, path, kind, rows)
    except ApiError as error:
        if error.status not in REFUSED_STATUS:
            raise
        if error.status == TOO_LARGE and len(rows) > 1:
            middle = len(rows) // 2
            return _send(client, path, kind, rows[:middle]) + _send(client, path, kind, rows[middle:])
        return [f"row {rows[0]['id']!r}: {error}" if len(rows) == 1 else str(error)]


def _post(client: ApiClient, path: str, kind: str, rows: list[Mapping[str, Any]]) -> list[str]:
    # All of these may be sent twice: the second time changes nothing.
    if kind == "delete":
        client.post(f"{path}/rows/delete", {"ids": [row["id"] for row in rows]}, is_idempotent=True)
        return []
    answer = client.post(f"{path}/rows", {"rows": rows, "is_merge": kind == "update"}, is_idempotent=True)
    return [f"row {result['id']!r}: {result['error']}" for result in answer["results"] if result["error"]]


def _to_json(value: object) -> str:
    return json.dumps(value, default=_plain, ensure_ascii=False, allow_nan=False)


def _plain(value: Any) -> Any:
    shown = plain(value)
    if isinstance(value, Attachment) and "error" in shown:
        # A span may lack its picture; a row that evals run over must not.
        raise ValueError(f"{value!r} {shown['error']}")
    return shown
