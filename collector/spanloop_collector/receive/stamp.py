"""Marks each resource of a request with who sent it and when, by slicing bytes: spans are not looked at.

A stamp is field 15000 of ResourceSpans or ResourceLogs, appended to the resource's own bytes:

    message SpanloopStamp {
      string project = 1;               // of the key; empty: any project
      fixed64 received_unix_nano = 2;   // the same for one request, rising from one to the next
      string default_project = 3;       // where spans go that name none
    }
"""

from __future__ import annotations

import time
from collections.abc import Callable

from spanloop_collector.receive.shape import RESOURCES, STAMP_FIELD
from spanloop_collector.receive.wire import LENGTH_DELIMITED, encode_varint, fields, take_out
from spanloop_collector.spool import Buffer

_RESOURCE_TAG = encode_varint(RESOURCES << 3 | LENGTH_DELIMITED)
_STAMP_TAG = encode_varint(STAMP_FIELD << 3 | LENGTH_DELIMITED)
_RECEIVED_TAG = encode_varint(2 << 3 | 1)

# A request usually has one resource and goes to the disk in three pieces; with many, one piece is cheaper.
MAX_PIECES = 48


class ReceivedClock:
    """The time now in Unix nanoseconds, later with every call: rows are versioned by it."""

    def __init__(self, now: Callable[[], int] = time.time_ns) -> None:
        self._now = now
        self._last = 0

    def __call__(self) -> int:
        self._last = max(self._now(), self._last + 1)
        return self._last


def stamp(payload: bytes, *, project: str, default_project: str, received_unix_nano: int) -> list[Buffer]:
    """The request with a stamp in each resource, in pieces to be written one after another.

    `payload` has passed the check. Top-level fields other than resources, which have no place in a row, are
    left out.
    """
    mark = encode_stamp(project=project, default_project=default_project, received_unix_nano=received_unix_nano)
    view, pieces = memoryview(payload), list[Buffer]()
    for field in fields(payload, 0, len(payload)):
        if field.number != RESOURCES or field.wire_type != LENGTH_DELIMITED:
            continue
        length = field.end - field.start + len(mark)
        pieces += (_RESOURCE_TAG + encode_varint(length), view[field.start : field.end], mark)
    return pieces if len(pieces) <= MAX_PIECES else [b"".join(pieces)]


def key_project(payload: Buffer) -> str:
    """Project of the key that a stamped request came with; '' where that reaches every project."""
    request = bytes(payload)
    for resource in _contents(request, RESOURCES):
        for mark in _contents(resource, STAMP_FIELD):
            return "".join(text.decode() for text in _contents(mark, 1))
    return ""


def _contents(message: bytes, number: int) -> list[bytes]:
    return take_out(message, number)[1]


def encode_stamp(*, project: str, default_project: str, received_unix_nano: int) -> bytes:
    """The stamp as a field. Every part is written, even when empty, so that the last one wins everywhere."""
    stamp = _text(1, project) + _RECEIVED_TAG + received_unix_nano.to_bytes(8, "little") + _text(3, default_project)
    return _STAMP_TAG + encode_varint(len(stamp)) + stamp


def _text(number: int, text: str) -> bytes:
    encoded = text.encode()
    return encode_varint(number << 3 | LENGTH_DELIMITED) + encode_varint(len(encoded)) + encoded
