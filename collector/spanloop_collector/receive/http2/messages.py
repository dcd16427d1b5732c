"""The messages of one call, put together from the pieces in which they arrive.

Each has five bytes before it: whether it is compressed, and its length.
https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#length-prefixed-message
"""

from __future__ import annotations

import asyncio
import zlib
from dataclasses import dataclass

from spanloop_collector.errors import TooLargeError, UnsupportedError
from spanloop_collector.receive.gunzip import Gunzip

PREFIX_BYTES = 5

# Smaller pieces are copied behind one another: an object for each would be larger than they are.
SMALL_PIECE_BYTES = 4096

# Larger messages are decompressed outside the event loop.
LARGE_BYTES = 64 * 1024

WINDOW_BITS = {"gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS}
ENCODINGS = ("identity", *WINDOW_BITS)


@dataclass(frozen=True, slots=True)
class Packed:
    """A whole message as it was sent."""

    payload: bytes
    is_compressed: bool


class MessageReader:
    """Takes pieces of a call's data and gives whole messages."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._prefix = b""
        self._parts: list[bytes | bytearray] = []
        self._missing = 0

    @property
    def is_between_messages(self) -> bool:
        """Whether nothing is missing of what has begun."""
        return not self._prefix

    def feed(self, piece: memoryview) -> list[Packed]:
        """The messages that end in this piece; raises TooLargeError as soon as a length is over the bound."""
        messages = []
        while piece:
            if len(self._prefix) < PREFIX_BYTES:
                piece = self._read_prefix(piece)
            if len(self._prefix) == PREFIX_BYTES:
                taken, piece = piece[: self._missing], piece[self._missing :]
                self._missing -= len(taken)
                self._keep(taken)
                if not self._missing:
                    messages.append(self._finish())
        return messages

    def _read_prefix(self, piece: memoryview) -> memoryview:
        """What is behind the prefix, if it is whole now."""
        missing = PREFIX_BYTES - len(self._prefix)
        self._prefix += bytes(piece[:missing])
        if len(self._prefix) == PREFIX_BYTES:
            self._missing = int.from_bytes(self._prefix[1:], "big")
            if self._missing > self._max_bytes:
                raise TooLargeError(
                    f"the message has {self._missing} bytes, more than receive.max_message_bytes={self._max_bytes}; "
                    "send smaller batches"
                )
        return piece[missing:]

    def _keep(self, piece: memoryview) -> None:
        if len(piece) >= SMALL_PIECE_BYTES or not self._parts:
            self._parts.append(bytes(piece))
        elif isinstance(last := self._parts[-1], bytearray):
            last += piece
        else:
            self._parts.append(bytearray(piece))

    def _finish(self) -> Packed:
        parts = self._parts
        only = parts[0]
        payload = only if len(parts) == 1 and isinstance(only, bytes) else b"".join(parts)
        message = Packed(payload, is_compressed=self._prefix[0] == 1)
        self._prefix, self._parts = b"", []
        return message


async def unpack(message: Packed, *, encoding: str, max_bytes: int) -> bytes:
    """The message decompressed; raises TooLargeError, UnsupportedError and InvalidRequestError."""
    if not message.is_compressed:
        return message.payload
    window_bits = WINDOW_BITS.get(encoding)
    if window_bits is None:
        raise UnsupportedError(f"grpc-encoding {encoding!r} is not supported; send {', '.join(ENCODINGS)}")
    gunzip = Gunzip(max_bytes, window_bits)
    if len(message.payload) <= LARGE_BYTES:
        return _gunzip_whole(gunzip, message.payload)
    return await asyncio.to_thread(_gunzip_whole, gunzip, message.payload)


def _gunzip_whole(gunzip: Gunzip, payload: bytes) -> bytes:
    for _ in gunzip.feed(payload):
        pass
    return gunzip.finish()


def packed(message: bytes) -> bytes:
    """The message with its prefix, uncompressed."""
    return b"\0" + len(message).to_bytes(4, "big") + message
