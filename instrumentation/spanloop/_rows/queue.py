"""What waits to be written, and the requests it becomes: partial rows of one id are merged before they are sent."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from spanloop._attachments.keeper import Keeper
    from spanloop._mask import Mask

ROWS = "rows"
FEEDBACK = "feedback"
# What is an application's own words, and so what masks look at.
MASKED = ("name", "input", "output", "expected", "error", "scores", "metrics", "metadata", "tags", "comment")

Json = dict[str, Any]


class Queued(NamedTuple):
    """One partial row, or one piece of feedback."""

    kind: str
    """`ROWS` or `FEEDBACK`."""
    project: str
    plain: Json
    """Fields as they are sent."""
    texts: Mapping[str, str]
    """Fields as JSON text, to be read when they are sent."""
    since: float
    """When it was written, in seconds since the epoch."""


def queued(kind: str, project: str, plain: Json, texts: Mapping[str, str]) -> tuple[Queued, int]:
    """What is put into the queue, and its size."""
    size = 500 + sum(map(len, texts.values()))
    return Queued(kind, project, plain, texts, time.time()), size


def encoder(mask: Mask | None, keeper: Keeper | None) -> Callable[[Sequence[Queued]], bytes]:
    """Makes one body of many: by kind and project, in the order in which they were written."""

    def encode(items: Sequence[Queued]) -> bytes:
        body: dict[str, dict[str, list[Json]]] = {ROWS: defaultdict(list), FEEDBACK: defaultdict(list)}
        for item in items:
            row = masked(fields_of(item), mask)
            body[item.kind][item.project].append(row if item.kind == ROWS else {**row, "since": item.since})
        body[ROWS] = {project: merged(rows) for project, rows in body[ROWS].items()}
        encoded = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        if keeper is not None:
            keeper.release(encoded)
        return encoded

    return encode


def fields_of(item: Queued) -> Json:
    return {**item.plain, **{name: json.loads(text) for name, text in item.texts.items()}}


def masked(row: Json, mask: Mask | None) -> Json:
    if mask is None:
        return row
    shown = mask.attributes({name: row[name] for name in MASKED if name in row})
    for name in ("scores", "metrics"):  # a number that was masked is no number any more
        if isinstance(shown.get(name), dict):
            shown[name] = {key: number for key, number in shown[name].items() if not isinstance(number, str)}
    return {**row, **shown}


def merged(rows: Iterable[Json]) -> list[Json]:
    """One row for each id, as the collector would merge them one by one."""
    found: dict[str, Json] = {}
    for row in rows:
        before = found.get(row["id"])
        found[row["id"]] = row if before is None else _merged(before, row)
    return list(found.values())


def _merged(before: Json, row: Json) -> Json:
    result = {**before, **row, "created": before["created"]}
    for name in ("scores", "metrics", "metadata"):
        if isinstance(before.get(name), dict) and isinstance(row.get(name), dict):
            result[name] = _deep(before[name], row[name])
    return result


def _deep(before: Json, after: Json) -> Json:
    """One object merged into another; None clears what the collector has, so it stays."""
    both = dict(before)
    for name, value in after.items():
        old = both.get(name)
        both[name] = _deep(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return both
