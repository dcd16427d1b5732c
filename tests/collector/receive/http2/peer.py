"""A client that says exactly what it is told, byte by byte."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

import hpack
from spanloop_collector.receive.http2 import frames

HEADERS = (
    (":method", "POST"),
    (":scheme", "http"),
    (":path", "/test.Service/Echo"),
    (":authority", "here"),
    ("te", "trailers"),
    ("content-type", "application/grpc"),
)


@dataclass(frozen=True, slots=True)
class Frame:
    """What came back."""

    kind: int
    flags: int
    stream_id: int
    payload: bytes


@dataclass(slots=True)
class Reply:
    """A call's answer, put together."""

    headers: dict[str, str]
    data: bytes

    @property
    def status(self) -> int:
        """The code of its end."""
        return int(self.headers["grpc-status"])

    @property
    def messages(self) -> list[bytes]:
        """Its messages without their prefixes."""
        found, rest = [], self.data
        while rest:
            end = 5 + int.from_bytes(rest[1:5], "big")
            found.append(rest[5:end])
            rest = rest[end:]
        return found


class Peer:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._encoder = hpack.Encoder()
        self._decoder = hpack.Decoder()

    @classmethod
    async def connect(cls, port: int, *, settings: dict[int, int] | None = None) -> Self:
        """A connection that has greeted."""
        peer = cls(*await asyncio.open_connection("127.0.0.1", port))
        await peer.send(frames.PREFACE + frames.settings(settings or {}))
        return peer

    async def send(self, data: bytes) -> None:
        """Sends bytes."""
        self._writer.write(data)
        await self._writer.drain()

    def head(self, stream_id: int, *, flags: int = frames.END_HEADERS, **changed: str) -> bytes:
        """A HEADERS frame; keywords are headers, `_` for `-` and without the colon of the first four."""
        return frames.frame(frames.HEADERS, flags, stream_id, self.block(**changed))

    def block(self, **changed: str) -> bytes:
        """The same headers without a frame."""
        names = {key.replace("_", "-"): value for key, value in changed.items()}
        headers = [(name, names.pop(name.lstrip(":"), value)) for name, value in HEADERS]
        return bytes(self._encoder.encode([*headers, *names.items()]))

    async def read(self) -> Frame:
        """The next frame; raises IncompleteReadError at the end of the connection."""
        high, low, kind, flags, stream_id = frames.read_head(await self._reader.readexactly(frames.HEAD_BYTES), 0)
        payload = await self._reader.readexactly(high << 8 | low)
        return Frame(kind, flags, stream_id, payload)

    async def until(self, kind: int) -> Frame:
        """The next frame of that type."""
        async with asyncio.timeout(10):
            while (frame := await self.read()).kind != kind:
                pass
        return frame

    async def reply(self, stream_id: int) -> Reply:
        """What a call is answered with, whole."""
        found = Reply({}, b"")
        async with asyncio.timeout(10):
            while True:
                frame = await self.read()
                if frame.kind == frames.HEADERS:
                    # Each block counts for what the next one may refer to.
                    headers = {str(name): str(value) for name, value in self._decoder.decode(frame.payload)}
                    if frame.stream_id == stream_id:
                        found.headers |= headers
                elif frame.kind == frames.DATA and frame.stream_id == stream_id:
                    found.data += frame.payload
                if frame.stream_id == stream_id and frame.flags & frames.END_STREAM:
                    return found

    async def rest(self) -> bytes:
        """All that comes until the connection ends."""
        async with asyncio.timeout(10):
            return await self._reader.read()

    async def close(self) -> None:
        """Hangs up."""
        self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()


def message(content: bytes, *, is_compressed: bool = False) -> bytes:
    """A message as gRPC frames it."""
    return bytes((is_compressed,)) + len(content).to_bytes(4, "big") + content


def data(stream_id: int, content: bytes, *, flags: int = frames.END_STREAM) -> bytes:
    """A DATA frame."""
    return frames.frame(frames.DATA, flags, stream_id, content)
