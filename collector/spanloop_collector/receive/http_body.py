"""The body of an HTTP request, bounded before and after decompression, and in time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from starlette.requests import ClientDisconnect, Request

from spanloop_collector.errors import RetryableError, UnsupportedError
from spanloop_collector.receive.gunzip import Gunzip, refuse_over

# A whole body takes longer than this only on a broken or a hostile connection.
BODY_TIMEOUT_SECONDS = 60.0


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
        refuse_over(max_bytes, size)
        parts.append(chunk)
    return b"".join(parts)


async def _read_gzip(chunks: AsyncIterator[bytes], *, max_bytes: int) -> bytes:
    """Decompresses as the chunks arrive and stops at the bound, so a bomb never unfolds."""
    gunzip = Gunzip(max_bytes)
    async for chunk in chunks:
        for _ in gunzip.feed(chunk):
            # Other requests go on while a large one is unfolded.
            await asyncio.sleep(0)
    return gunzip.finish()
