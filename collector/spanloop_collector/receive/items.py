"""What makes a span or a log record acceptable: its ids and, for a span, its start."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter
from typing import Protocol

TRACE_ID_BYTES = 16
SPAN_ID_BYTES = 8
_NO_TRACE_ID = bytes(TRACE_ID_BYTES)
_NO_SPAN_ID = bytes(SPAN_ID_BYTES)
_TRACE_ID_SIZES = frozenset({TRACE_ID_BYTES})
_SPAN_ID_SIZES = frozenset({SPAN_ID_BYTES})
_PARENT_ID_SIZES = frozenset({0, SPAN_ID_BYTES})
_TRACE_ID, _SPAN_ID = attrgetter("trace_id"), attrgetter("span_id")
_PARENT_ID, _START = attrgetter("parent_span_id"), attrgetter("start_time_unix_nano")

# Stands before an id that came as JSON text and is not hexadecimal: too long for any id, and still readable.
NOT_HEX = b"not hexadecimal: "


class Item(Protocol):
    """What spans and log records have in common."""

    trace_id: bytes
    span_id: bytes


class Span(Item, Protocol):
    """The fields of a span that are checked."""

    parent_span_id: bytes
    start_time_unix_nano: int


def are_spans_good(spans: Iterable[Span]) -> bool:
    """True when no span of the list has a problem.

    This is the only look at spans on the hot path, a column at a time so that the loops run in C.
    """
    given = list(spans)
    trace_ids, span_ids = list(map(_TRACE_ID, given)), list(map(_SPAN_ID, given))
    return (
        _TRACE_ID_SIZES.issuperset(map(len, trace_ids))
        and _SPAN_ID_SIZES.issuperset(map(len, span_ids))
        and _PARENT_ID_SIZES.issuperset(map(len, map(_PARENT_ID, given)))
        and all(map(_START, given))
        and _NO_TRACE_ID not in trace_ids
        and _NO_SPAN_ID not in span_ids
    )


def are_log_records_good(records: Iterable[Item]) -> bool:
    """True when no log record of the list has a problem. Records outside of any span have no ids."""
    for record in records:
        trace_id, span_id = record.trace_id, record.span_id
        if (trace_id and len(trace_id) != TRACE_ID_BYTES) or (span_id and len(span_id) != SPAN_ID_BYTES):
            return False
    return True


def span_problem(span: Span) -> tuple[str, str] | None:
    """Name of the first wrong field and what is wrong with it; None for a good span."""
    # A parent of all zeros is how some senders say "no parent".
    return (
        _id_problem("trace_id", span.trace_id, TRACE_ID_BYTES, may_be_zero=False)
        or _id_problem("span_id", span.span_id, SPAN_ID_BYTES, may_be_zero=False)
        or _optional_id_problem("parent_span_id", span.parent_span_id, SPAN_ID_BYTES)
        or _start_problem(span)
    )


def log_record_problem(record: Item) -> tuple[str, str] | None:
    """Name of the first wrong field and what is wrong with it; None for a good log record."""
    return _optional_id_problem("trace_id", record.trace_id, TRACE_ID_BYTES) or _optional_id_problem(
        "span_id", record.span_id, SPAN_ID_BYTES
    )


def _id_problem(field: str, value: bytes, size: int, *, may_be_zero: bool) -> tuple[str, str] | None:
    if len(value) != size:
        return field, f"is {_describe(value)}; expected {size} bytes"
    if not may_be_zero and not any(value):
        return field, f"is {size} zero bytes; expected a random id"
    return None


def _optional_id_problem(field: str, value: bytes, size: int) -> tuple[str, str] | None:
    return _id_problem(field, value, size, may_be_zero=True) if value else None


def _start_problem(span: Span) -> tuple[str, str] | None:
    if span.start_time_unix_nano:
        return None
    return "start_time_unix_nano", "is 0; expected nanoseconds since 1970"


def _describe(value: bytes) -> str:
    if not value:
        return "empty"
    if value.startswith(NOT_HEX):
        return f"{value.removeprefix(NOT_HEX).decode()[:40]!r}, which is not hexadecimal"
    shown = value[:20].hex() + ("…" if len(value) > 20 else "")
    return f"{len(value)} bytes ({shown})"
