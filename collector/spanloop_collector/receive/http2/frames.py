"""HTTP/2's frames as they are on the wire.

https://www.rfc-editor.org/rfc/rfc9113.html#section-4
"""

from __future__ import annotations

import struct
from typing import Final

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

# Frame types. Plain numbers: one is compared for each frame.
DATA: Final = 0
HEADERS: Final = 1
PRIORITY: Final = 2
RST_STREAM: Final = 3
SETTINGS: Final = 4
PUSH_PROMISE: Final = 5
PING: Final = 6
GOAWAY: Final = 7
WINDOW_UPDATE: Final = 8
CONTINUATION: Final = 9

# Flags.
ACK: Final = 0x1
END_STREAM: Final = 0x1
END_HEADERS: Final = 0x4
PADDED: Final = 0x8
PRIORITIZED: Final = 0x20

# Settings.
INITIAL_WINDOW_SIZE: Final = 4
MAX_FRAME_SIZE: Final = 5
MAX_CONCURRENT_STREAMS: Final = 3
MAX_HEADER_LIST_SIZE: Final = 6

# Error codes.
NO_ERROR: Final = 0
PROTOCOL_ERROR: Final = 1
INTERNAL_ERROR: Final = 2
FLOW_CONTROL_ERROR: Final = 3
FRAME_SIZE_ERROR: Final = 6
REFUSED_STREAM: Final = 7
COMPRESSION_ERROR: Final = 9
ENHANCE_YOUR_CALM: Final = 11

MAX_WINDOW: Final = 2**31 - 1
DEFAULT_WINDOW: Final = 65_535
DEFAULT_FRAME_BYTES: Final = 16_384
LARGEST_FRAME_BYTES: Final = 2**24 - 1

HEAD_BYTES: Final = 9

read_head = struct.Struct(">HBBBI").unpack_from
"""Length without its last byte, that byte, type, flags, stream."""

_head = struct.Struct(">HBBBI")
_setting = struct.Struct(">HI")
_number = struct.Struct(">I")


class Http2Error(Exception):
    """The peer broke the protocol; the connection ends with this code and reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def frame(kind: int, flags: int, stream_id: int, payload: bytes = b"") -> bytes:
    """One frame."""
    return frame_head(len(payload), kind, flags, stream_id) + payload


def frame_head(length: int, kind: int, flags: int, stream_id: int) -> bytes:
    """The nine bytes before a payload of that length."""
    return _head.pack(length >> 8, length & 0xFF, kind, flags, stream_id)


def settings(values: dict[int, int]) -> bytes:
    """Our settings."""
    return frame(SETTINGS, 0, 0, b"".join(_setting.pack(name, value) for name, value in values.items()))


def read_settings(payload: bytes) -> list[tuple[int, int]]:
    """The peer's settings; raises Http2Error."""
    if len(payload) % _setting.size:
        raise Http2Error(FRAME_SIZE_ERROR, f"SETTINGS of {len(payload)} bytes")
    return list(_setting.iter_unpack(payload))


def reset(stream_id: int, code: int) -> bytes:
    """Ends one stream."""
    return frame(RST_STREAM, 0, stream_id, _number.pack(code))


def window_update(stream_id: int, increment: int) -> bytes:
    """Lets the peer send more; stream 0 is the connection."""
    return frame(WINDOW_UPDATE, 0, stream_id, _number.pack(increment))


def go_away(last_stream_id: int, code: int, reason: str = "") -> bytes:
    """Ends the connection for streams after the last."""
    return frame(GOAWAY, 0, 0, _number.pack(last_stream_id) + _number.pack(code) + reason.encode())


def read_number(payload: bytes, name: str) -> int:
    """The 31 bits that RST_STREAM and WINDOW_UPDATE consist of; raises Http2Error."""
    if len(payload) != _number.size:
        raise Http2Error(FRAME_SIZE_ERROR, f"{name} of {len(payload)} bytes")
    number: int = _number.unpack(payload)[0]
    return number & MAX_WINDOW


def without_padding(flags: int, payload: bytes) -> bytes:
    """What is between the padding and the priority of a HEADERS frame; raises Http2Error."""
    before, after = 0, 0
    if flags & PADDED:
        if not payload:
            raise Http2Error(FRAME_SIZE_ERROR, "a padded frame without the length of its padding")
        before, after = 1, payload[0]
    if flags & PRIORITIZED:
        before += 5
    if before + after > len(payload):
        raise Http2Error(PROTOCOL_ERROR, "padding is longer than its frame")
    return payload[before : len(payload) - after]
