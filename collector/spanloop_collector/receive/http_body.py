"""The body of an HTTP request, bounded before and after decompression, and in time."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Iterator

from starlette.requests import ClientDisconnect, Request

from spanloop_collector.errors import InvalidRequestError, RetryableError, TooLargeError, UnsupportedError

# A whole body takes longer than this only on a broken or a hostile connection.
BODY_TIMEOUT_SECONDS = 60.0

# Decompressed at a time; the bound is compared after each step.
STEP_BYTES = 1024 * 1024

_GZIP_WINDOW_BITS = zlib.MAX_WBITS | 16


async def read_body(request: Request, *, max_bytes: int) -> bytes:
    """The decompressed body.

    Raises TooLargeError, UnsupportedError for an encoding other than gzip, InvalidRequestError for broken
    gzip, and RetryableError when the body does not arrive in time.
    """
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    chunks = request.stream()
    try:
        async with asyncio.timeout(BODY_TIMEOUT_SECONDS):
            if encoding in ("identity", ""):
                return await _read_plain(chunks, max_bytes=max_bytes)
            if encoding == "gzip":
                return await _read_gzip(chunks, max_bytes=max_bytes)
    except TimeoutError:
        raise RetryableError(f"the body did not arrive within {BODY_TIMEOUT_SECONDS:g} seconds") from None
    except ClientDisconnect:
        raise RetryableError("the connection ended before the body did") from None
    raise UnsupportedError(f"content-encoding {encoding!r} is not supported; send gzip or identity")


async def _read_plain(chunks: AsyncIterator[bytes], *, max_bytes: int) -> bytes:
    parts, size = [], 0
    async for chunk in chunks:
        size += len(chunk)
        _refuse_over(max_bytes, size)
        parts.append(chunk)
    return b"".join(parts)


async def _read_gzip(chunks: AsyncIterator[bytes], *, max_bytes: int) -> bytes:
    """Decompresses as the chunks arrive and stops at the bound, so a bomb never unfolds."""
    gunzip = _Gunzip(max_bytes)
    async for chunk in chunks:
        for _ in gunzip.feed(chunk):
            # Other requests go on while a large one is unfolded.
            await asyncio.sleep(0)
    return gunzip.finish()


class _Gunzip:
    """Decompresses one or several gzip members."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._member = zlib.decompressobj(_GZIP_WINDOW_BITS)
        self._is_inside = False
        self._parts: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> Iterator[None]:
        """Takes the next bytes of the body, a step at a time."""
        while data:
            self._is_inside = True
            part = self._decompress(data)
            self._size += len(part)
            _refuse_over(self._max_bytes, self._size)
            self._parts.append(part)
            data = self._member.unconsumed_tail
            if self._member.eof:
                data = self._member.unused_data
                self._member = zlib.decompressobj(_GZIP_WINDOW_BITS)
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


def _refuse_over(max_bytes: int, size: int) -> None:
    if size > max_bytes:
        raise TooLargeError(f"the body is larger than receive.max_message_bytes={max_bytes}; send smaller batches")
