"""What goes into one insert: a segment, or a range of its records when the whole was refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from spanloop_collector.receive.shape import ITEMS, RESOURCES, SCOPES
from spanloop_collector.receive.wire import WireError, put_in, take_out
from spanloop_collector.spool.record import Buffer, Record, RecordFlags
from spanloop_collector.spool.segment import SealedSegment
from spanloop_collector.write.nested import flatten_request


@dataclass(frozen=True, slots=True)
class Batch:
    """Bytes for one insert. The same token always stands for the same bytes, over restarts too."""

    token: str
    payload: Buffer
    file: Path | None = None
    """Where the same bytes lie on disk, if they do."""


def whole_segment(signal: str, segment: SealedSegment) -> Batch:
    """The segment as it lies on disk; its nested values, if it has any, as JSON text."""
    if RecordFlags.HAS_NESTED in segment.flags:
        return Batch(segment.token, _join(signal, list(segment.records())))
    pieces = segment.pieces()
    if len(pieces) == 1 and len(pieces[0]) == segment.byte_count:
        return Batch(segment.token, pieces[0], file=segment.path)
    return Batch(segment.token, b"".join(pieces))


def part_of(signal: str, token: str, records: Sequence[Record], start: int) -> Batch:
    """Some neighbouring records of what has that token, the first of which has the number `start`."""
    return Batch(f"{token}-{start}-{start + len(records)}", _join(signal, records))


def single_items(record: Record) -> list[Record]:
    """A request of its own for each span or log record; the record itself where it cannot be taken apart."""
    payloads = []
    try:
        for resource in take_out(bytes(record.payload), RESOURCES)[1]:
            resource_shell, scopes = take_out(resource, SCOPES)
            for scope in scopes:
                scope_shell, items = take_out(scope, ITEMS)
                for item in items:
                    only_this = put_in(resource_shell, SCOPES, [put_in(scope_shell, ITEMS, [item])])
                    payloads.append(put_in(b"", RESOURCES, [only_this]))
    except WireError:
        return [record]
    return [Record(memoryview(payload), 1, record.flags) for payload in payloads]


def _join(signal: str, records: Sequence[Record]) -> bytes:
    return b"".join(
        flatten_request(signal, record.payload) if RecordFlags.HAS_NESTED in record.flags else record.payload
        for record in records
    )
