"""Watches the body of an HTTP response while the client reads it.

Everything the client libraries offer for streams (iteration, context managers, helpers, raw responses)
reads the body through the response's `iter_bytes` or `aiter_bytes` and ends with its `close` or `aclose`.
So that is where we look on, at whatever pace the consumer has, and the span ends when the response does,
complete or not. Up to the first token the body is parsed at once, the rest by the sending thread: the consumer
pays for keeping the bytes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from spanloop._failsafe import guarded
from spanloop._wrap.binary import described
from spanloop._wrap.call import Call
from spanloop._wrap.events import READERS, parsed
from spanloop._wrap.unfinished import begun, finished

MAX_KEPT_BYTES = 64 * 1024 * 1024
BYTES_OF_A_CHUNK = 40


class Watch:
    """Looks on while one response is read, and closes the call when it is done with."""

    def __init__(self, call: Call, response: Any) -> None:
        self._call = call
        self._content_type = str(response.headers.get("content-type", "")).partition(";")[0].strip()
        self._read_events = READERS.get(self._content_type)
        self._chunks: list[bytes] = []
        self._beginning = b""  # of a stream, until its first token
        self._awaits_token = self._read_events is not None
        self._size = 0
        self._is_done = False
        self.is_reading = False
        """The client waits for bytes; should it close the response now, `ended` tells why."""
        begun(self)

    def got(self, chunk: bytes) -> None:
        """Runs for each chunk, and the application waits for it: what can be done later is."""
        self._size += len(chunk)
        if self._size <= MAX_KEPT_BYTES:
            self._chunks.append(chunk)
        if self._awaits_token:
            self._look_for_token(chunk)

    @guarded
    def _look_for_token(self, chunk: bytes) -> None:
        assert self._read_events is not None
        events, self._beginning = self._read_events(self._beginning + chunk)
        for event in events:
            self._call.saw(event)
        self._awaits_token = not self._call.has_token

    @guarded
    def ended(self, error: BaseException | None = None) -> None:
        """Nothing more will be read: the body is over, the client could not go on, or it wants no more."""
        if not self._is_done:
            self._is_done = True
            finished(self)
            self._call.close_later(self._read, self._size + len(self._chunks) * BYTES_OF_A_CHUNK, error)

    def closed(self) -> None:
        if not self.is_reading:
            self.ended()

    def _read(self) -> Any:
        """What the body says, as far as it was read."""
        body = b"".join(self._chunks)
        if self._read_events is not None:
            return self._read_events(body + b"\n\n")[0]  # which ends a server-sent event that was cut off
        if self._content_type.endswith("json"):
            return parsed(body) or {}
        if self._content_type.startswith("text/"):
            return body.decode("utf-8", "replace")
        return described(self._content_type, body, self._size)

    def __del__(self) -> None:
        """A response that nobody read or closed is over when it is collected."""
        self.ended()


def watch(call: Call, response: Any) -> None:
    """Looks on at `response`, which is either read with `iter_bytes` or with `aiter_bytes`."""
    watching = Watch(call, response)
    response.iter_bytes = _watched(watching, response.iter_bytes)
    response.aiter_bytes = _async_watched(watching, response.aiter_bytes)
    response.close = _closing(watching, response.close)
    response.aclose = _async_closing(watching, response.aclose)


def _watched(watching: Watch, iter_bytes: Callable[..., Iterator[bytes]]) -> Callable[..., Iterator[bytes]]:
    def iterate(*args: Any, **kwargs: Any) -> Iterator[bytes]:
        watching.is_reading = True
        try:
            for chunk in iter_bytes(*args, **kwargs):
                watching.is_reading = False
                watching.got(chunk)
                yield chunk
                watching.is_reading = True
        except BaseException as error:
            watching.ended(error if watching.is_reading else None)  # else it is the consumer's, or its way to stop
            raise
        watching.ended()

    return iterate


def _async_watched(
    watching: Watch, aiter_bytes: Callable[..., AsyncIterator[bytes]]
) -> Callable[..., AsyncIterator[bytes]]:
    async def iterate(*args: Any, **kwargs: Any) -> AsyncIterator[bytes]:
        watching.is_reading = True
        try:
            async for chunk in aiter_bytes(*args, **kwargs):
                watching.is_reading = False
                watching.got(chunk)
                yield chunk
                watching.is_reading = True
        except BaseException as error:
            watching.ended(error if watching.is_reading else None)
            raise
        watching.ended()

    return iterate


def _closing(watching: Watch, close: Callable[[], None]) -> Callable[[], None]:
    def close_and_end() -> None:
        try:
            close()
        finally:
            watching.closed()

    return close_and_end


def _async_closing(watching: Watch, aclose: Callable[[], Any]) -> Callable[[], Any]:
    async def close_and_end() -> None:
        try:
            await aclose()
        finally:
            watching.closed()

    return close_and_end
