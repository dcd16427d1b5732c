"""Listens, and finds the handler of each call."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable, Mapping
from typing import Any, Final

import grpc

from spanloop_collector.receive.http2 import frames
from spanloop_collector.receive.http2.connection import RECEIVE_BYTES, Connection
from spanloop_collector.receive.http2.headers import RequestHead
from spanloop_collector.receive.listening_socket import BACKLOG, listen

# A peer that vanished without a word is noticed, and its half-sent request freed: it is asked for a sign after three
# of these intervals of silence, and given up after a fourth.
LOOK_SECONDS: Final = 20
SILENT_LOOKS_UNTIL_PING: Final = 3

# Above the largest message: its prefix, and those of others in a stream.
WINDOW_MARGIN_BYTES: Final = 64 * 1024


class Http2Server:
    """Serves gRPC handlers on one socket, in the running event loop."""

    def __init__(self, *, max_message_bytes: int, look_seconds: float = LOOK_SECONDS) -> None:
        """`max_message_bytes` bounds each message, before and after decompression."""
        self._look_seconds = look_seconds
        self.max_message_bytes = max_message_bytes
        self.stream_window = min(max_message_bytes + WINDOW_MARGIN_BYTES, frames.MAX_WINDOW)
        self.buffer = memoryview(bytearray(RECEIVE_BYTES))
        """What arrives is read into it, whichever connection it comes from."""
        self.connections: set[Connection] = set()
        """Those whose peers are there."""
        self._handlers: list[grpc.GenericRpcHandler] = []
        self._server: asyncio.Server | None = None
        self._looking: asyncio.Task[None] | None = None

    def add_generic_rpc_handlers(self, handlers: Iterable[grpc.GenericRpcHandler]) -> None:
        """Adds handlers; the first that knows a method serves it."""
        self._handlers += handlers

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Any]) -> None:
        """Generated code calls this after `add_generic_rpc_handlers`, with the same handlers."""

    def handler_of(self, head: RequestHead) -> grpc.RpcMethodHandler[Any, Any] | None:
        """The handler of a call, or None."""
        for handlers in self._handlers:
            if handler := handlers.service(head):
                return handler
        return None

    async def start(self, setting: str, address: str, *, tls: ssl.SSLContext | None) -> int:
        """Begins to listen; returns the port. Raises ConfigError, naming the setting, when it cannot be had."""
        listening = listen(setting, address)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Connection(self), sock=listening, ssl=tls, backlog=BACKLOG)
        self._looking = asyncio.create_task(self._look_after_connections())
        port: int = listening.getsockname()[1]
        return port

    async def stop(self, *, grace_seconds: float) -> None:
        """Takes no new calls, lets those in progress end within the grace, then closes."""
        if self._server is None or self._looking is None:
            return
        self._server.close()
        self._looking.cancel()
        if connections := list(self.connections):
            for connection in connections:
                connection.leave()
            await asyncio.wait([connection.closed for connection in connections], timeout=grace_seconds)
        for connection in list(self.connections):
            connection.abort()
        await self._server.wait_closed()

    async def _look_after_connections(self) -> None:
        silent_looks: dict[Connection, int] = {}
        while True:
            await asyncio.sleep(self._look_seconds)
            silent_looks = {
                connection: 0 if connection.is_heard else silent_looks.get(connection, 0) + 1
                for connection in self.connections
            }
            for connection, looks in silent_looks.items():
                connection.is_heard = False
                if looks == SILENT_LOOKS_UNTIL_PING:
                    connection.ask_for_a_sign()
                elif looks > SILENT_LOOKS_UNTIL_PING:
                    connection.abort()
