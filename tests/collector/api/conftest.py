"""The API on both transports, with a real spool, writer and ClickHouse behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import grpc.aio
import httpx
import pytest
import uvicorn
from spanloop_collector.api.grpc_transport import add_operations
from spanloop_collector.api.http_app import build_app
from spanloop_collector.api.http_transport import error_response
from spanloop_collector.api.services import build_operations
from spanloop_collector.attachments import Attachments, open_attachments
from spanloop_collector.attachments.http import attachment_routes
from spanloop_collector.intake import Intake
from spanloop_collector.keys.authenticator import Authenticator
from spanloop_collector.keys.cache import KeyCache
from spanloop_collector.keys.keyring import KeyRing
from spanloop_collector.keys.principal import Scope
from spanloop_collector.keys.table import KeyTable
from spanloop_collector.playground.operations import PlaygroundOperations
from spanloop_collector.query.endpoint import SqlEndpoint
from spanloop_collector.query.queries import Queries
from spanloop_collector.receive.http2 import Http2Server
from spanloop_collector.settings import (
    AuthSettings,
    PlaygroundSettings,
    QuerySettings,
    Settings,
    SpoolSettings,
    WriteSettings,
)
from spanloop_collector.spool import Spool
from spanloop_collector.store import Store
from spanloop_collector.write import Writer
from spanloop_collector.write.dead_letter import DeadLetter, DeadLetters

from tests.support.waiting import wait_until

MAX_BODY_BYTES = 4 << 20


@dataclass
class Api:
    """A served API."""

    http: httpx.AsyncClient
    """Speaks to the JSON side; without a key unless a header says otherwise."""
    grpc: grpc.aio.Channel
    port: int
    """Of the JSON side and of SQL."""
    ring: KeyRing
    store: Store
    writer: Writer
    spool: Spool
    dead_letters: DeadLetters
    attachments: Attachments

    async def key(self, *scopes: Scope, project: str = "") -> dict[str, str]:
        """Headers with a new key."""
        _, text = await self.ring.create(name="test", project=project, scopes=scopes)
        return {"authorization": f"Bearer {text}"}

    async def rows(self, columns: str, condition: str = "1") -> list[tuple[object, ...]]:
        """Rows of `logs`, once everything acknowledged is visible."""
        await self.writer.barrier()
        sql = f"SELECT {columns} FROM {self.store.database}.logs WHERE {condition} ORDER BY id"
        result = await asyncio.to_thread(self.store.query, sql)
        return [tuple(row) for row in result.result_rows]


@pytest.fixture
def requires_keys() -> bool:
    """Whether the collector asks for keys; override it in a test module."""
    return False


@pytest.fixture
def playground_settings() -> PlaygroundSettings:
    """What the playground may ask; override it in a test module."""
    return PlaygroundSettings()


@pytest.fixture
async def api(
    store: Store,
    tmp_path: Path,
    requires_keys: bool,
    playground_settings: PlaygroundSettings,
) -> AsyncIterator[Api]:
    """The API, served on free ports."""
    spool, logs = (
        Spool.open(tmp_path / signal, SpoolSettings(), signal=signal, flush_after_seconds=0.01)
        for signal in ("traces", "logs")
    )
    dead_letters = DeadLetters(tmp_path / "dead", store)
    writer = Writer("traces", spool, store, dead_letters, WriteSettings())
    writer.start()
    ring = KeyRing(KeyTable(store), KeyCache(tmp_path))
    queries = Queries(store, QuerySettings())

    async def replay(letter: DeadLetter) -> None:
        await spool.append(dead_letters.payload(letter), item_count=letter.item_count)

    settings = Settings(
        data_dir=tmp_path,
        store=store.settings,
        auth=AuthSettings(require_keys=requires_keys),
        playground=playground_settings,
    )
    playground = PlaygroundOperations(settings, environment={})
    authenticator = Authenticator(ring, required=requires_keys)
    attachments = open_attachments(settings.attachments, tmp_path)
    operations = build_operations(
        settings,
        intake=Intake(traces=spool, logs=logs, default_project="default"),
        store=store,
        spools={"traces": spool, "logs": logs},
        queries=queries,
        keys=ring,
        attachments=attachments,
        dead_letters=dead_letters,
        replay=replay,
        barrier=writer.barrier,
        playground=playground,
    )
    app = build_app(
        sql=SqlEndpoint(queries, authenticator, database=store.database),
        operations=operations,
        authenticator=authenticator,
        max_body_bytes=MAX_BODY_BYTES,
        more_routes=attachment_routes(
            attachments, authenticator, default_project="default", error_response=error_response
        ),
    )
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None))
    serving = asyncio.create_task(server.serve())
    grpc_server = Http2Server(max_message_bytes=MAX_BODY_BYTES)
    add_operations(grpc_server, operations, authenticator)
    grpc_port = await grpc_server.start("receive.grpc_address", "127.0.0.1:0", tls=None)
    await asyncio.to_thread(wait_until, lambda: server.started, what="the API listens")
    port = server.servers[0].sockets[0].getsockname()[1]
    async with (
        # Without TLS nothing is verified; to read the authorities nevertheless would take a third of what a test takes.
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30, verify=False) as client,
        grpc.aio.insecure_channel(f"127.0.0.1:{grpc_port}") as channel,
    ):
        yield Api(client, channel, port, ring, store, writer, spool, dead_letters, attachments)
    server.should_exit = True
    await serving
    await grpc_server.stop(grace_seconds=0)
    await playground.close()
    await queries.close()
    await writer.stop(5)
    for each in (spool, logs):
        await each.close()
