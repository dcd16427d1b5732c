"""When the requests of a segment were received: how the rows of exactly that segment are found again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from spanloop_collector.receive.shape import STAMP_FIELD
from spanloop_collector.receive.wire import LENGTH_DELIMITED, encode_varint, read_varint
from spanloop_collector.spool.segment import SealedSegment

# Rows of a replayed request are far away from the rest of its segment; between them lie rows of other segments.
MAX_GAP_WITHIN_US = 60_000_000
# Segments that follow each other are closer than any other would fit between them.
MAX_GAP_BETWEEN_US = 20_000
STAMP_TAG = encode_varint(STAMP_FIELD << 3 | LENGTH_DELIMITED)
# A stamp ends its request. It holds two names of projects, each of at most 200 bytes, and a few bytes of its own.
MAX_STAMP_BYTES = 512
TIME_TAG = bytes([2 << 3 | 1])


def received_condition(segments: Sequence[SealedSegment]) -> str:
    """SQL for whether a row of `spans` came with one of the segments; empty where they hold nothing."""
    ranges = [
        times
        for segment in segments
        for times in _joined(((time, time) for time in _times(segment)), max_gap_us=MAX_GAP_WITHIN_US)
    ]
    conditions = [
        f"received BETWEEN fromUnixTimestamp64Micro({first}, 'UTC') AND fromUnixTimestamp64Micro({last}, 'UTC')"
        for first, last in _joined(ranges, max_gap_us=MAX_GAP_BETWEEN_US)
    ]
    return f"({' OR '.join(conditions)})" if conditions else ""


Times: TypeAlias = tuple[int, int]
"""First and last, both included, in Unix microseconds: what the column `received` holds."""


def _joined(ranges: Iterable[Times], *, max_gap_us: int) -> list[Times]:
    """Neighbours that are no further apart than that are one."""
    joined: list[Times] = []
    for first, last in sorted(ranges):
        if joined and first - joined[-1][1] <= max_gap_us:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return joined


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
    _, position = read_varint(end, at + len(STAMP_TAG), len(end))
    if end[position : position + 1] != b"\x0a":
        return ()
    project_length, position = read_varint(end, position + 1, len(end))
    position += project_length
    if end[position : position + 1] != TIME_TAG:
        return ()
    return (int.from_bytes(end[position + 1 : position + 9], "little") // 1000,)
