"""A link to a server that can be slow, or break: a TCP proxy in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

CHUNK_BYTES = 65_536


class SlowLink:
    """Passes bytes both ways; `delay_seconds` holds back each answer, `cut` breaks every connection there is."""

    def __init__(self, target_url: str) -> None:
        self.delay_seconds = 0.0
        self.port = 0
        target = urlsplit(target_url)
        self._target = (target.hostname or "", target.port or 0)
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._is_listening = threading.Event()
        self._end = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._run(),))

    @property
    def url(self) -> str:
        """Where to reach the server through this link."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Returns once the link listens."""
        self._thread.start()
        self._is_listening.wait(10)

    def stop(self) -> None:
        """Breaks every connection and ends."""
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()
        self._loop.close()

    def cut(self) -> None:
        """Breaks every connection, in whatever state it is."""
        self._loop.call_soon_threadsafe(self._abort)

    def _abort(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _run(self) -> None:
        server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._is_listening.set()
        await self._end.wait()
        server.close()
        self._abort()
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}), return_exceptions=True)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, back}
        await asyncio.gather(
            self._pump(reader, back, is_answer=False),
            self._pump(there, writer, is_answer=True),
            return_exceptions=True,
        )
        for end in (writer, back):
            self._writers.discard(end)
            end.transport.abort()

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, *, is_answer: bool) -> None:
        while chunk := await source.read(CHUNK_BYTES):
            if is_answer and self.delay_seconds:
                await asyncio.sleep(self.delay_seconds)
            target.write(chunk)
            await target.drain()
        target.close()


@contextmanager
def slow_link(target_url: str) -> Iterator[SlowLink]:
    """A link for the length of a block."""
    link = SlowLink(target_url)
    link.start()
    try:
        yield link
    finally:
        link.stop()
