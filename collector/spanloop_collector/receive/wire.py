"""The few parts of protobuf's wire format that are read without a schema.

https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

VARINT, FIXED64, LENGTH_DELIMITED, GROUP_START, GROUP_END, FIXED32 = range(6)


class WireError(ValueError):
    """The bytes are not protobuf."""


class Field(NamedTuple):
    """Where a field's value lies."""

    number: int
    wire_type: int
    start: int
    end: int


def fields(data: bytes | memoryview, start: int, end: int) -> Iterator[Field]:
    """The fields of the message between `start` and `end`; groups count as one field."""
    position = start
    while position < end:
        tag, position = read_varint(data, position, end)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == LENGTH_DELIMITED:
            length, position = read_varint(data, position, end)
            stop = position + length
        else:
            stop = _skip(data, position, end, number=number, wire_type=wire_type)
        if stop > end or not number:
            raise WireError("wire format was corrupt")
        yield Field(number, wire_type, position, stop)
        position = stop


def read_varint(data: bytes | memoryview, position: int, end: int) -> tuple[int, int]:
    """The number at `position`, and where what follows begins."""
    value = shift = 0
    while position < end and shift < 70:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
    raise WireError("wire format was corrupt")


def encode_varint(value: int) -> bytes:
    """The number as protobuf writes it."""
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _skip(data: bytes | memoryview, position: int, end: int, *, number: int, wire_type: int) -> int:
    """Where a value that is not length-delimited ends."""
    match wire_type:
        case 0:
            return read_varint(data, position, end)[1]
        case 1:
            return position + 8
        case 5:
            return position + 4
        case 3:
            return _skip_group(data, position, end, number=number)
    raise WireError("wire format was corrupt")


def _skip_group(data: bytes | memoryview, position: int, end: int, *, number: int) -> int:
    """Where the group that has just begun ends. Groups nest; a loop keeps hostile depth off the stack."""
    open_groups = [number]
    while open_groups:
        tag, position = read_varint(data, position, end)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == GROUP_START:
            open_groups.append(number)
        elif wire_type == GROUP_END:
            if open_groups.pop() != number:
                raise WireError("wire format was corrupt")
        elif wire_type == LENGTH_DELIMITED:
            length, position = read_varint(data, position, end)
            position += length
        else:
            position = _skip(data, position, end, number=number, wire_type=wire_type)
    return position


def take_out(message: bytes, number: int) -> tuple[bytes, list[bytes]]:
    """The message without its members of that field number, and the contents of those. Raises WireError."""
    rest, contents, position = bytearray(), [], 0
    for field in fields(message, 0, len(message)):
        if field.number == number and field.wire_type == LENGTH_DELIMITED:
            contents.append(message[field.start : field.end])
        else:
            rest += message[position : field.end]
        position = field.end
    return bytes(rest), contents


def put_in(message: bytes, number: int, contents: Sequence[bytes]) -> bytes:
    """The message with these members behind what it holds."""
    tag = encode_varint(number << 3 | LENGTH_DELIMITED)
    parts = [message]
    for content in contents:
        parts += (tag, encode_varint(len(content)), content)
    return b"".join(parts)
