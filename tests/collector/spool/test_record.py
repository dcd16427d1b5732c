"""Framing: what was written is read back, and damage costs the damaged record alone."""

from __future__ import annotations

import io

from google.protobuf.proto import parse_length_prefixed
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from spanloop_collector.spool.record import (
    HEADER_BYTES,
    MARKER,
    Buffer,
    Damage,
    RecordFlags,
    RecordPlace,
    delimited,
    encode_header,
    is_intact,
    scan,
    seed_of,
)

SEED = seed_of("0" * 32)

# Payloads that contain markers and whole records of another segment must not confuse anyone.
payloads = st.lists(
    st.binary(max_size=200) | st.just(MARKER * 3) | st.binary(max_size=20).map(lambda b: frame(b, seed=7)),
    max_size=6,
)


def frame(payload: bytes, *, seed: int = SEED, items: int = 1) -> bytes:
    header = encode_header([payload], item_count=items, flags=RecordFlags.NONE, seed=seed)
    return header + payload


def read(content: bytes) -> tuple[list[bytes], int]:
    """Intact payloads, and how many stretches are damaged."""
    kept, damaged = [], 0
    for found in scan(content, size=len(content), seed=SEED):
        if isinstance(found, Damage) or not is_intact(content, found, seed=SEED):
            damaged += 1
        else:
            kept.append(content[found.payload_start : found.end])
    return kept, damaged


@given(payloads)
def test_records_are_read_back_in_order(payloads: list[bytes]) -> None:
    assert read(b"".join(map(frame, payloads))) == (payloads, 0)


@given(payloads, st.data())
def test_torn_end_costs_only_the_last_record(payloads: list[bytes], data: st.DataObject) -> None:
    content = b"".join(map(frame, [*payloads, b"the last one"]))
    torn = data.draw(st.integers(1, HEADER_BYTES + len(b"the last one") - 1))
    assert read(content[:-torn]) == (payloads, 1)


@given(payloads, st.data())
def test_flipped_bit_costs_only_its_record(payloads: list[bytes], data: st.DataObject) -> None:
    before, after = [*payloads, b"x"], [b"y", *payloads]
    head, middle = b"".join(map(frame, before)), frame(b"the damaged one")
    bit = data.draw(st.integers(0, len(middle) * 8 - 1))
    flipped = bytearray(middle)
    flipped[bit // 8] ^= 1 << bit % 8
    kept, damaged = read(head + bytes(flipped) + b"".join(map(frame, after)))
    assert kept == before + after
    assert damaged == 1


@given(st.binary(max_size=500))
def test_any_bytes_can_be_scanned(content: bytes) -> None:
    kept, damaged = read(content)
    assert not kept
    assert damaged == (1 if content else 0)


def test_payload_in_pieces_has_the_same_header() -> None:
    whole = encode_header([b"abcdef"], item_count=3, flags=RecordFlags.HAS_NESTED, seed=SEED)
    pieces: list[Buffer] = [b"ab", memoryview(b"xcdx")[1:3], bytearray(b"ef")]
    assert encode_header(pieces, item_count=3, flags=RecordFlags.HAS_NESTED, seed=SEED) == whole
    assert list(scan(whole + b"abcdef", size=len(whole) + 6, seed=SEED)) == [
        RecordPlace(0, 6, int.from_bytes(whole[9:17], "little"), 3, RecordFlags.HAS_NESTED)
    ]


def test_record_copied_from_another_segment_is_damage() -> None:
    assert read(frame(b"old disk block", seed=seed_of("1" * 32))) == ([], 1)


def test_a_record_is_a_message_with_its_length_before_it() -> None:
    request = ExportTraceServiceRequest()
    request.resource_spans.add().schema_url = "https://example.com"
    payload = request.SerializeToString()
    stream = io.BytesIO(frame(payload) + frame(payload * 2) + delimited(payload))
    for times in (1, 2, 1):
        parsed = parse_length_prefixed(ExportTraceServiceRequest, stream)
        assert parsed is not None
        parsed.DiscardUnknownFields()
        assert parsed.SerializeToString() == payload * times
    assert parse_length_prefixed(ExportTraceServiceRequest, stream) is None
