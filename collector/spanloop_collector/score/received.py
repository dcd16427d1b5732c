"""When the requests of a segment were received: how the rows of exactly that segment are found again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from spanloop_collector.receive.shape import STAMP_FIELD
from spanloop_collector.receive.wire import LENGTH_DELIMITED, encode_varint
from spanloop_collector.spool.segment import SealedSegment

# Rows of a replayed request are far away from the rest; between them lie rows of other segments.
MAX_GAP_US = 60_000_000
STAMP_TAG = encode_varint(STAMP_FIELD << 3 | LENGTH_DELIMITED)
# A stamp ends its request. It holds two names of projects, each of at most 200 bytes, and a few bytes of its own.
MAX_STAMP_BYTES = 512
TIME_TAG = bytes([2 << 3 | 1])


@dataclass(frozen=True, slots=True)
class ReceivedRange:
    """Times, both included, in Unix microseconds: what the column `received` holds."""

    first_us: int
    last_us: int


def received_ranges(segments: Sequence[SealedSegment]) -> list[ReceivedRange]:
    """The times of the segments' requests: one range, or several where they lie far apart."""
    times = sorted(time for segment in segments for time in _times(segment))
    ranges: list[ReceivedRange] = []
    for time in times:
        if ranges and time - ranges[-1].last_us <= MAX_GAP_US:
            ranges[-1] = ReceivedRange(ranges[-1].first_us, time)
        else:
            ranges.append(ReceivedRange(time, time))
    return ranges


def _times(segment: SealedSegment) -> Iterator[int]:
    for record in segment.records():
        end = bytes(record.payload[-MAX_STAMP_BYTES:])
        yield from _stamped(end)


def _stamped(end: bytes) -> Iterable[int]:
    """The time in the last stamp of a request, read from its last bytes."""
    at = end.rfind(STAMP_TAG)
    if at < 0:
        return ()
    # Behind the tag: the stamp's length, the project with its tag and length, then the time.
    position = _after_varint(end, at + len(STAMP_TAG))
    if end[position : position + 1] != b"\x0a":
        return ()
    project_length, position = _varint(end, position + 1)
    position += project_length
    if end[position : position + 1] != TIME_TAG:
        return ()
    return (int.from_bytes(end[position + 1 : position + 9], "little") // 1000,)


def _after_varint(data: bytes, position: int) -> int:
    return _varint(data, position)[1]


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        value |= (byte & 0x7F) << shift
        position += 1
        if byte < 0x80:
            return value, position
        shift += 7
