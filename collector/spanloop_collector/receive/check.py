"""Checks a request at the door: valid protobuf, valid UTF-8, good ids; counts its items, flags nested values.

One parse in C and one short loop over spans (`items.py`); attributes are never touched from Python.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from google.protobuf.message import DecodeError, EncodeError, Message

from spanloop_collector.errors import InvalidRequestError, TooLargeError
from spanloop_collector.receive.items import are_log_records_good, are_spans_good
from spanloop_collector.receive.salvage import Salvage, salvage
from spanloop_collector.receive.shape import ITEMS, RESOURCES, SCOPES, SPANS, Shape
from spanloop_collector.receive.wire import LENGTH_DELIMITED, Field, WireError, fields
from spanloop_collector.spool import RecordFlags

# Resources, scopes and items of one request together. An empty one is 2 bytes on the wire and over a hundred
# in memory, so a small hostile body could otherwise take gigabytes.
MAX_MESSAGES = 250_000

# Larger requests are counted before they are parsed, and are better checked outside the event loop.
LARGE_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Checked:
    """A request that may be stored."""

    payload: bytes
    """Its bytes without the rejected items."""
    item_count: int
    flags: RecordFlags
    rejected: int = 0
    """Items that were cut out."""
    reason: str = ""
    """Why the first of them was."""


def check(payload: bytes, shape: Shape) -> Checked:
    """The request, without what is wrong with it.

    Raises InvalidRequestError when nothing of it can be kept, TooLargeError when it holds too many messages.
    """
    is_large = len(payload) > LARGE_BYTES
    if is_large:
        _refuse_too_many(payload, shape)
    checked = check_whole(payload, shape)
    if checked is not None:
        return checked
    if not is_large:
        _refuse_too_many(payload, shape)
    saved = salvage(payload, shape)
    checked = check_whole(saved.payload, shape)
    if checked is None or (saved.rejected and not checked.item_count):
        raise _invalid(saved, shape)
    return replace(checked, rejected=saved.rejected, reason=saved.reason)


def check_whole(payload: bytes, shape: Shape) -> Checked | None:
    """The request when everything in it is good, else None: the fast half of `check`."""
    try:
        request: Any = shape.request.FromString(payload)
    except DecodeError:
        return None
    are_good = are_spans_good if shape is SPANS else are_log_records_good
    item_count = 0
    for resource in request.resources:
        for scope in resource.scopes:
            items = scope.items
            if not are_good(items):
                return None
            item_count += len(items)
    flags = RecordFlags.NONE
    if _has_never(request):
        if any(resource.HasField("stamp") for resource in request.resources):
            return None
        flags = RecordFlags.HAS_NESTED
    return Checked(payload, item_count, flags)


def _has_never(request: Message) -> bool:
    """Whether a message with the field that never comes is there: a nested value, or a stamp.

    Serializing notices it in C, at half the cost of IsInitialized.
    """
    try:
        request.SerializeToString()
    except EncodeError:
        return True
    return False


def _refuse_too_many(payload: bytes, shape: Shape) -> None:
    """Counts messages by their lengths alone, without building any."""
    messages = _messages(payload, 0, len(payload), numbers=(RESOURCES, SCOPES, ITEMS))
    try:
        one_too_many = next(islice(messages, MAX_MESSAGES, None), None)
    except WireError as error:
        raise InvalidRequestError(f"not a valid {shape.request_name}: {error}", field=shape.resources_name) from error
    if one_too_many:
        raise TooLargeError(
            f"the request holds more than {MAX_MESSAGES} {shape.items_name} and their containers; send smaller batches"
        )


def _messages(payload: bytes, start: int, end: int, *, numbers: tuple[int, ...]) -> Iterator[Field]:
    """Every message on the levels with these field numbers."""
    number, *below = numbers
    for field in fields(payload, start, end):
        if field.number == number and field.wire_type == LENGTH_DELIMITED:
            yield field
            if below:
                yield from _messages(payload, field.start, field.end, numbers=tuple(below))


def _invalid(saved: Salvage, shape: Shape) -> InvalidRequestError:
    if not saved.rejected:
        return InvalidRequestError(f"not a valid {shape.request_name}", field=shape.resources_name)
    return InvalidRequestError(saved.reason, field=saved.field)
