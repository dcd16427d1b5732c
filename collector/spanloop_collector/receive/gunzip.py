"""Decompression that stops at a bound."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from spanloop_collector.errors import InvalidRequestError, TooLargeError

# Decompressed at a time; the bound is compared after each step.
STEP_BYTES = 1024 * 1024

GZIP_WINDOW_BITS = zlib.MAX_WBITS | 16


class Gunzip:
    """Decompresses one or several gzip members."""

    def __init__(self, max_bytes: int, window_bits: int = GZIP_WINDOW_BITS) -> None:
        self._max_bytes = max_bytes
        self._window_bits = window_bits
        self._member = zlib.decompressobj(window_bits)
        self._is_inside = False
        self._parts: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> Iterator[None]:
        """Takes the next bytes of the body, a step at a time."""
        while data:
            self._is_inside = True
            part = self._decompress(data)
            self._size += len(part)
            refuse_over(self._max_bytes, self._size)
            self._parts.append(part)
            data = self._member.unconsumed_tail
            if self._member.eof:
                data = self._member.unused_data
                self._member = zlib.decompressobj(self._window_bits)
                self._is_inside = False
            yield

    def finish(self) -> bytes:
        """Everything decompressed."""
        if self._is_inside:
            raise InvalidRequestError("the body is truncated gzip", field="body")
        return b"".join(self._parts)

    def _decompress(self, data: bytes) -> bytes:
        try:
            return self._member.decompress(data, STEP_BYTES)
        except zlib.error as error:
            raise InvalidRequestError(f"the body is not gzip: {error}", field="body") from error


def refuse_over(max_bytes: int, size: int) -> None:
    """Raises TooLargeError for a body of more bytes than the bound."""
    if size > max_bytes:
        raise TooLargeError(f"the body is larger than receive.max_message_bytes={max_bytes}; send smaller batches")
