"""Watches the body of an HTTP response while the client reads it.

Everything the client libraries offer for streams (iteration, context managers, helpers, raw responses)
reads the body through the response's `iter_bytes` or `aiter_bytes` and ends with its `close` or `aclose`.
So that is where we look on, at whatever pace the consumer has, and the span ends when the response does,
complete or not. Nothing is parsed before that except until the first token; a consumer waits for nothing.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from spanloop._failsafe import guarded
from spanloop._wrap.call import Call

MAX_KEPT_BYTES = 64 * 1024 * 1024


class SseReader:
    """Server-sent events out of bytes that may be cut anywhere."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []

    def feed(self, chunk: bytes) -> Iterator[dict[str, Any]]:
        """The JSON objects that are complete now; what is no JSON, as `[DONE]`, is passed over."""
        *lines, self._rest = (self._rest + chunk).replace(b"\r\n", b"\n").split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                self._data.append(line[5:].strip())
            elif not line and self._data:
                data, self._data = b"\n".join(self._data), []
                if isinstance(event := _parsed(data), dict):
                    yield event


def _parsed(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return None


class Watch:
    """Looks on while one response is read, and closes the call when it is done with."""

    def __init__(self, call: Call, response: Any) -> None:
        self._call = call
        self._content_type = str(response.headers.get("content-type", "")).partition(";")[0].strip()
        self._is_sse = self._content_type == "text/event-stream"
        self._reader = SseReader()
        self._events: list[dict[str, Any]] = []
        self._chunks: list[bytes] = []
        self._size = 0
        self._error: BaseException | None = None
        self._is_reading = False
        self._is_closed = False
        self._is_done = False

    @guarded
    def saw(self, chunk: bytes) -> None:
        self._size += len(chunk)
        if self._is_sse and not self._call.has_token:
            for event in self._reader.feed(chunk):
                self._events.append(event)
                self._call.saw(event)
        elif self._size <= MAX_KEPT_BYTES:
            self._chunks.append(chunk)

    def reading(self) -> None:
        """The client asks for more bytes."""
        self._is_reading = True

    def read(self, error: BaseException | None = None) -> None:
        """It got some, or reached the end, or failed; the client closes the response before we know which."""
        self._is_reading = False
        self._error = error
        if self._is_closed:
            self._finish()

    def closed(self) -> None:
        self._is_closed = True
        if not self._is_reading:
            self._finish()

    @guarded
    def _finish(self) -> None:
        if self._is_done:
            return
        self._is_done = True
        if self._is_sse:
            self._events.extend(self._reader.feed(b"".join(self._chunks) + b"\n\n"))
            self._call.close_stream(self._events, self._error)
        elif self._error is not None:
            self._call.fail(self._error)
        else:
            self._call.close(self._body())

    def _body(self) -> Any:
        body = b"".join(self._chunks)
        if self._content_type.endswith("json"):
            return _parsed(body) or {}
        if self._content_type.startswith("text/"):
            return body.decode("utf-8", "replace")
        return {"content_type": self._content_type, "bytes": self._size}

    def __del__(self) -> None:
        """A response that nobody read or closed is over when it is collected."""
        self._finish()


def watch(call: Call, response: Any) -> None:
    """Looks on at `response`, which is either read with `iter_bytes` or with `aiter_bytes`."""
    watching = Watch(call, response)
    response.iter_bytes = _watched(watching, response.iter_bytes)
    response.aiter_bytes = _async_watched(watching, response.aiter_bytes)
    response.close = _closing(watching, response.close)
    response.aclose = _async_closing(watching, response.aclose)


def _watched(watching: Watch, iter_bytes: Callable[..., Iterator[bytes]]) -> Callable[..., Iterator[bytes]]:
    def iterate(*args: Any, **kwargs: Any) -> Iterator[bytes]:
        chunks = iter(iter_bytes(*args, **kwargs))
        while True:
            watching.reading()
            try:
                chunk = next(chunks)
            except StopIteration:
                watching.read()
                return
            except BaseException as error:
                watching.read(error)
                raise
            watching.read()
            watching.saw(chunk)
            yield chunk

    return iterate


def _async_watched(
    watching: Watch, aiter_bytes: Callable[..., AsyncIterator[bytes]]
) -> Callable[..., AsyncIterator[bytes]]:
    async def iterate(*args: Any, **kwargs: Any) -> AsyncIterator[bytes]:
        chunks = aiter(aiter_bytes(*args, **kwargs))
        while True:
            watching.reading()
            try:
                chunk = await anext(chunks)
            except StopAsyncIteration:
                watching.read()
                return
            except BaseException as error:
                watching.read(error)
                raise
            watching.read()
            watching.saw(chunk)
            yield chunk

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
