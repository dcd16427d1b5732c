"""Stamps: who sent a resource and when, in front of nothing and behind everything the sender wrote."""

from __future__ import annotations

from google.protobuf.unknown_fields import UnknownFieldSet
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans
from spanloop_collector.receive.stamp import MAX_PIECES, ReceivedClock, stamp
from spanloop_collector.receive.wire import encode_varint, fields

from tests.collector.receive.otlp import span, trace_request

RECEIVED = 1_700_000_000_000_000_123


def stamped(payload: bytes, *, project: str = "shop", default_project: str = "default") -> bytes:
    pieces = stamp(payload, project=project, default_project=default_project, received_unix_nano=RECEIVED)
    return b"".join(pieces)


def stamp_of(resource: ResourceSpans) -> dict[int, object]:
    """The stamp's fields by number; fails unless it is the only unknown field."""
    unknown = UnknownFieldSet(resource)
    assert [unknown[i].field_number for i in range(len(unknown))] == [15000]
    content: bytes = unknown[0].data
    return {f.number: content[f.start : f.end] for f in fields(content, 0, len(content))}


def test_every_resource_gets_the_stamp_and_keeps_its_spans() -> None:
    request = trace_request(span(1), span(2))
    request.resource_spans.append(trace_request(span(3)).resource_spans[0])
    found = ExportTraceServiceRequest.FromString(stamped(request.SerializeToString()))
    expected = {1: b"shop", 2: RECEIVED.to_bytes(8, "little"), 3: b"default"}
    assert [stamp_of(resource) for resource in found.resource_spans] == [expected, expected]
    for resource in found.resource_spans:
        resource.DiscardUnknownFields()
    assert found == request


def test_empty_project_is_written_too() -> None:
    (resource,) = ExportTraceServiceRequest.FromString(
        stamped(trace_request(span(1)).SerializeToString(), project="", default_project="")
    ).resource_spans
    assert stamp_of(resource) == {1: b"", 2: RECEIVED.to_bytes(8, "little"), 3: b""}


def test_one_resource_is_not_copied() -> None:
    payload = trace_request(span(1)).SerializeToString()
    pieces = stamp(payload, project="p", default_project="d", received_unix_nano=RECEIVED)
    assert [piece.obj for piece in pieces if isinstance(piece, memoryview)] == [payload]


def test_many_resources_become_one_piece() -> None:
    request = ExportTraceServiceRequest()
    for number in range(1, 1000):
        request.resource_spans.append(trace_request(span(number)).resource_spans[0])
    pieces = stamp(request.SerializeToString(), project="p", default_project="d", received_unix_nano=RECEIVED)
    assert len(pieces) == 1 <= MAX_PIECES
    found = ExportTraceServiceRequest.FromString(bytes(pieces[0]))
    assert len(found.resource_spans) == 999
    assert all(stamp_of(resource) for resource in found.resource_spans)


def test_unknown_fields_beside_resources_are_left_out() -> None:
    payload = trace_request(span(1)).SerializeToString()
    group = encode_varint(7 << 3 | 3) + b"\x08\x01" + encode_varint(7 << 3 | 4)
    unknown = encode_varint(9 << 3 | 2) + b"\x03abc" + b"\x10\x05" + group
    assert stamped(unknown + payload + unknown) == stamped(payload)


def test_request_without_resources_has_no_pieces() -> None:
    assert stamp(b"", project="p", default_project="d", received_unix_nano=RECEIVED) == []


def test_received_time_rises_even_when_the_clock_does_not() -> None:
    readings = iter([10, 10, 5, 30])
    received = ReceivedClock(lambda: next(readings))
    assert [received() for _ in range(4)] == [10, 11, 12, 30]
