"""What goes into one insert: a segment, or a range of its records when the whole was refused."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from spanloop_collector.receive.shape import ITEMS, RESOURCES, SCOPES
from spanloop_collector.receive.wire import WireError, put_in, take_out
from spanloop_collector.spool.record import Buffer, Record, RecordFlags, delimited
from spanloop_collector.spool.segment import SealedSegment
from spanloop_collector.write.nested import flatten_request


@dataclass(frozen=True, slots=True)
class Batch:
    """Requests for one insert. The same token always stands for the same requests, over restarts too."""

    token: str
    requests: Buffer | Path
    """Each with its length before it, or the file that holds them so."""


def whole_segment(signal: str, segment: SealedSegment) -> Batch:
    """The segment as it lies on disk; its nested values, if it has any, as JSON text."""
    if RecordFlags.HAS_NESTED in segment.flags or not segment.is_whole():
        return Batch(segment.token, _join(signal, segment.records()))
    return Batch(segment.token, segment.path)


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


def _join(signal: str, records: Iterable[Record]) -> bytes:
    return b"".join(
        delimited(flatten_request(signal, record.payload) if RecordFlags.HAS_NESTED in record.flags else record.payload)
        for record in records
    )
