"""One HTTP port inside the collector's event loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from spanloop_collector.receive.listening_socket import BACKLOG, listen
from spanloop_collector.receive.tls import tls_context
from spanloop_collector.settings import AuthSettings

# Longer than the export interval of every exporter, so that they reuse their connections.
KEEP_ALIVE_SECONDS = 75

logger = logging.getLogger(__name__)


class HttpListener:
    """Serves an application on one address; OTLP/HTTP and the API each have one."""

    def __init__(self, app: ASGIApp, *, setting: str, address: str, auth: AuthSettings) -> None:
        """`setting` names the address in messages, such as `receive.http_address`."""
        self._app = app
        self._setting = setting
        self._address = address
        self._auth = auth
        self._server: _Server | None = None
        self._serving: asyncio.Task[None] | None = None
        self.port = 0
        """The port in use, once started."""

    async def start(self) -> None:
        """Begins to listen; raises ConfigError when the address cannot be had."""
        config = uvicorn.Config(
            self._app,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            loop="none",
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            backlog=BACKLOG,
        )
        config.load()
        config.ssl = tls_context(self._auth, protocol="http/1.1")
        listening = listen(self._setting, self._address)
        self.port = listening.getsockname()[1]
        self._server = _Server(config)
        self._serving = asyncio.create_task(self._server.serve(sockets=[listening]))
        await self._until_listening(self._server, self._serving)
        logger.info("http: listening setting=%s address=%s port=%d", self._setting, self._address, self.port)

    async def stop(self, *, grace_seconds: float) -> None:
        """Takes no new requests, lets those in flight end within the grace, then closes."""
        if self._server is None or self._serving is None:
            return
        self._server.config.timeout_graceful_shutdown = max(round(grace_seconds), 1)
        self._server.should_exit = True
        await self._serving
        self._server = self._serving = None

    @staticmethod
    async def _until_listening(server: _Server, serving: asyncio.Task[None]) -> None:
        """Returns when requests are taken; raises what ended the server before."""
        listening = asyncio.create_task(server.is_listening.wait())
        await asyncio.wait([listening, serving], return_when=asyncio.FIRST_COMPLETED)
        if not listening.done():
            listening.cancel()
            await serving


class _Server(uvicorn.Server):
    """A server that leaves the process's signals alone and says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_listening = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_listening.set()
