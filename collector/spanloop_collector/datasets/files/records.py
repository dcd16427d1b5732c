"""A file's records on their way, with how far reading is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple


class Numbered(NamedTuple):
    """One record."""

    record: Mapping[str, Any]
    position: int
    """How much of the source was read."""
    where: str
    """The record's place, for people: `cases.jsonl, line 7`."""


class Source(NamedTuple):
    """Records and the measure of all of them."""

    total: int
    """What `position` is when everything was read; 0 where nobody knows."""
    records: Iterator[Numbered]
