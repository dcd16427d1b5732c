"""Keeps what streams past, and closes the call when the stream ends, however it does.

The pieces are kept as the text they came in; the sending thread reads them.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Generator
from typing import Any

from spanloop._failsafe import guarded
from spanloop._wrap.call import Call
from spanloop._wrap.sending import Sending
from spanloop._wrap.unfinished import begun, finished

MAX_KEPT_CHARS = 64 * 1024 * 1024


class _Kept:
    """The pieces of one stream."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._texts: list[str] = []
        self._size = 0
        self._is_done = False
        begun(self)

    @guarded
    def got(self, chunk: Any) -> None:
        text = getattr(chunk, "body", chunk)
        if not isinstance(text, str):  # older versions of the package hand on objects
            text = json.dumps(text)
        self._size += len(text)
        if self._size <= MAX_KEPT_CHARS:
            self._texts.append(text)
        if not self._call.has_token:
            self._call.saw(json.loads(text))

    @guarded
    def ended(self, error: BaseException | None = None) -> None:
        if self._is_done:
            return
        self._is_done = True
        finished(self)
        if error is not None and not self._texts:
            self._call.fail(error)
        else:
            self._call.close_later(self._read, self._size, error)

    def _read(self) -> list[Any]:
        read: list[Any] = json.loads(f"[{','.join(self._texts)}]")
        return read

    def __del__(self) -> None:
        """A stream that nobody read to its end or closed is over when it is collected."""
        self.ended()


def watched(chunks: Generator[Any, None, None], call: Call) -> Generator[Any, None, None]:
    """The same pieces. The request goes out when the first is asked for, so that is when its span is current."""
    kept = _Kept(call)
    sending: Sending | None = Sending(call)
    try:
        while True:
            try:
                chunk = next(chunks)
            except StopIteration:
                return
            except BaseException as error:
                kept.ended(error)
                raise
            finally:
                if sending is not None:
                    sending.leave()
                    sending = None
            kept.got(chunk)
            yield chunk
    finally:
        chunks.close()
        kept.ended()


def watched_async(chunks: AsyncGenerator[Any, None], call: Call) -> AsyncGenerator[Any, None]:
    """The same for a stream whose request has been sent."""
    return _watched_async(chunks, _Kept(call))


async def _watched_async(chunks: AsyncGenerator[Any, None], kept: _Kept) -> AsyncGenerator[Any, None]:
    try:
        async for chunk in chunks:
            kept.got(chunk)
            yield chunk
    except GeneratorExit:
        raise
    except BaseException as error:
        kept.ended(error)
        raise
    finally:
        await chunks.aclose()
        kept.ended()
