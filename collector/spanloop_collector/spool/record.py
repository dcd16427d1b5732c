"""One acknowledged request on disk: a header of 33 bytes, then its bytes as received and stamped.

A record is a protobuf message with its length before it: first a field that no schema declares, which is the rest of
the header, then the fields of the request. A whole segment is therefore a sequence of messages as ClickHouse's format
Protobuf reads them, and goes into an insert as it lies on disk.

    length of the message, as a varint   5 bytes
    tag of field 15001 and its length    4
    XXH3 of the payload                  8
    number of items (spans, log records) 4
    flags                                4
    XXH3 of the header up to here        8

XXH3 reads 340 KB in 20 microseconds, zlib's crc32 in 80 to 150: on the hot path that is a tenth of everything.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntFlag
from typing import TypeAlias

from xxhash import xxh3_64, xxh3_64_intdigest

Buffer: TypeAlias = bytes | bytearray | memoryview
Content: TypeAlias = bytes | mmap.mmap

LENGTH_BYTES = 5
_HEADER = struct.Struct(f"<{LENGTH_BYTES}s4sQIIQ")
CHECKSUM_BYTES = 8
HEADER_BYTES = _HEADER.size
MAX_RECORD_BYTES = 2**31

# 15001 << 3 | 2 as varint, then the 24 bytes that follow.
MARKER = b"\xca\xa9\x07\x18"


class RecordFlags(IntFlag):
    """What the writer must know of a request without parsing it."""

    NONE = 0
    HAS_NESTED = 1
    """Some attribute value or log body is an array or a map; it is rewritten before the insert."""


@dataclass(frozen=True, slots=True)
class Record:
    """One request, read back."""

    payload: memoryview
    """Exactly what was appended."""
    item_count: int
    """Spans or log records in it."""
    flags: RecordFlags


@dataclass(frozen=True, slots=True)
class RecordPlace:
    """Where a record lies in its segment, and what its header says."""

    start: int
    """Offset of the header."""
    length: int
    """Bytes of the payload."""
    payload_checksum: int
    item_count: int
    flags: RecordFlags

    @property
    def payload_start(self) -> int:
        return self.start + HEADER_BYTES

    @property
    def end(self) -> int:
        return self.start + HEADER_BYTES + self.length


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes of a segment that hold no readable record."""

    start: int
    end: int
    is_torn: bool
    """It begins with the header of a record that does not end."""


def seed_of(token: str) -> int:
    """Start value of every checksum in the segment of this token.

    With it, neither old disk blocks of another segment nor bytes that a sender put into a payload pass as a
    record of this one.
    """
    return xxh3_64_intdigest(token.encode())


def seal(data: bytes, *, seed: int) -> bytes:
    """The data with its checksum behind it."""
    return data + xxh3_64_intdigest(data, seed).to_bytes(CHECKSUM_BYTES, "little")


def is_sealed(data: bytes, *, seed: int) -> bool:
    """Whether the data ends with its checksum."""
    return seal(data[:-CHECKSUM_BYTES], seed=seed) == data


def delimited(message: Buffer) -> bytes:
    """The message with its length before it."""
    return _encode_length(len(message)) + message


def encode_header(parts: Sequence[Buffer], *, item_count: int, flags: RecordFlags, seed: int) -> bytes:
    """The header for a payload that is given in pieces."""
    payload, length = xxh3_64(seed=seed), 0
    for part in parts:
        payload.update(part)
        length += len(part)
    message = _encode_length(HEADER_BYTES - LENGTH_BYTES + length)
    header = _HEADER.pack(message, MARKER, payload.intdigest(), item_count, flags, 0)
    return seal(header[:-CHECKSUM_BYTES], seed=seed)


def scan(content: Content, *, size: int, seed: int) -> Iterator[RecordPlace | Damage]:
    """Every record of a segment by its headers, and the stretches between them that are damaged.

    Payloads are not read; `is_intact` checks one.
    """
    position = 0
    while position < size:
        place = _read_header(content, position, size=size, seed=seed)
        if place is None or place.end > size:
            # A length beyond the end is the last write before a crash; anything else is a damaged header.
            following = size if place else _next_header(content, position + 1, size=size, seed=seed)
            yield Damage(position, following, is_torn=place is not None)
            position = following
        else:
            yield place
            position = place.end


def is_intact(content: Content, place: RecordPlace, *, seed: int) -> bool:
    """Whether the payload is what was appended."""
    with memoryview(content) as view, view[place.payload_start : place.end] as payload:
        return xxh3_64_intdigest(payload, seed) == place.payload_checksum


def _read_header(content: Content, position: int, *, size: int, seed: int) -> RecordPlace | None:
    header = content[position : min(position + HEADER_BYTES, size)]
    if len(header) < HEADER_BYTES or not header.startswith(MARKER, LENGTH_BYTES):
        return None
    if not is_sealed(header, seed=seed):
        return None
    message, _, payload_checksum, item_count, flags, _ = _HEADER.unpack(header)
    length = _decode_length(message) - (HEADER_BYTES - LENGTH_BYTES)
    return RecordPlace(position, length, payload_checksum, item_count, RecordFlags(flags))


def _next_header(content: Content, position: int, *, size: int, seed: int) -> int:
    """Offset of the next valid header; the end when there is none."""
    while (marker := content.find(MARKER, position + LENGTH_BYTES, size)) >= 0:
        position = marker - LENGTH_BYTES
        if _read_header(content, position, size=size, seed=seed):
            return position
        position += 1
    return size


def _encode_length(length: int) -> bytes:
    """A varint that always takes as many bytes: the last groups of a small number are 0."""
    groups = [length >> 7 * group & 0x7F for group in range(LENGTH_BYTES)]
    return bytes([*(group | 0x80 for group in groups[:-1]), groups[-1]])


def _decode_length(varint: bytes) -> int:
    return sum((byte & 0x7F) << 7 * group for group, byte in enumerate(varint))
