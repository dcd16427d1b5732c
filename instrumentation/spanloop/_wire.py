"""Protobuf's wire format, as far as OTLP needs it: fields of text, bytes and numbers, and key-value lists.

https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from spanloop import _attributes as names

REPEATED = frozenset((names.TYPE, names.PROJECT, names.EXPERIMENT_ID, names.PURPOSE))
"""Attributes of which a process has few values: what they look like on the wire is kept."""

_double: Callable[[float], bytes] = struct.Struct("<d").pack


def varint(number: int) -> bytes:
    """`number` in seven bits a byte, the lowest first."""
    if number < 0x80:
        return _SMALL[number]
    if number < 0x4000:  # as the lengths of most spans
        return b"%c%c" % (number & 0x7F | 0x80, number >> 7)
    parts = bytearray()
    while number >= 0x80:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    parts.append(number)
    return bytes(parts)


_SMALL = [bytes((number,)) for number in range(0x80)]


def bytes_field(number: int, value: bytes) -> bytes:
    """A length-delimited field, present even if empty, as submessages are."""
    return varint(number << 3 | 2) + varint(len(value)) + value


def text_field(number: int, value: str | None) -> bytes:
    """A string field; absent if empty."""
    return bytes_field(number, value.encode()) if value else b""


def varint_field(number: int, value: int) -> bytes:
    """A whole-number field; absent if zero."""
    return varint(number << 3) + varint(value) if value else b""


def key_values(number: int, values: Mapping[str, Any]) -> bytes:
    """A repeated `KeyValue` field, one for each member; `number` is 15 at most."""
    tag = number << 3 | 2
    parts = []
    for key, value in values.items():
        if type(value) is str:
            if key in REPEATED:
                parts.append(_kept(tag, key, value))
                continue
            if len(value) < 0x80:  # as most are: then every length is one byte
                key_part, text = _key(key), value.encode()
                size = len(text)
                rest = len(key_part) + size + 4
                if rest < 0x80:
                    parts.append(b"%c%c%b\x12%c\x0a%c%b" % (tag, rest, key_part, size + 2, size, text))
                    continue
        parts.append(_key_value(tag, key, value))
    return b"".join(parts)


def _key_value(tag: int, key: str, value: Any) -> bytes:
    key_part, encoded = _key(key), any_value(value)
    value_part = b"\x12%b%b" % (varint(len(encoded)), encoded)
    return b"%c%b%b%b" % (tag, varint(len(key_part) + len(value_part)), key_part, value_part)


_kept = functools.lru_cache(maxsize=1024)(_key_value)


@functools.lru_cache(maxsize=4096)
def _key(key: str) -> bytes:
    """A `KeyValue`'s key; the same few names come again and again."""
    return text_field(1, key)


def any_value(value: Any) -> bytes:
    """An `AnyValue` message."""
    kind = type(value)
    if kind is str:
        encoded: bytes = value.encode()
        return b"\x0a" + varint(len(encoded)) + encoded
    if kind is bool:
        return b"\x10\x01" if value else b"\x10\x00"
    if kind is int:
        return b"\x18" + varint(value & 0xFFFFFFFFFFFFFFFF)
    if kind is float:
        return b"\x21" + _double(value)
    return _other_value(value)


def _other_value(value: Any) -> bytes:
    if value is None:
        return b""
    if isinstance(value, bytes):
        return bytes_field(7, value)
    if isinstance(value, Mapping):
        return bytes_field(6, key_values(1, {str(key): each for key, each in value.items()}))
    if isinstance(value, Sequence) and not isinstance(value, str):
        return bytes_field(5, b"".join(bytes_field(1, any_value(each)) for each in value))
    for kind in (bool, int, float, str):  # subclasses, such as members of an enumeration
        if isinstance(value, kind):
            return any_value(kind(value))
    raise TypeError(f"an attribute of type {type(value).__name__}")
