"""A server with a few handlers, on a free port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
from spanloop_collector.receive.http2 import Call, Http2Server

from tests.collector.receive.http2.peer import Peer

MAX_MESSAGE_BYTES = 200_000


@dataclass
class Served:
    """The server and what its handlers have seen."""

    server: Http2Server
    port: int = 0
    started: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)


def handlers(served: Served) -> grpc.GenericRpcHandler:
    """`Echo` gives back, `Repeat` streams 100 KB ten times, `Wait` never ends, `Each` echoes a stream."""

    async def echo(message: bytes, call: Call) -> bytes:
        return message

    async def repeat(message: bytes, call: Call) -> AsyncIterator[bytes]:
        for number in range(10):
            yield bytes((number,)) * 100_000

    async def wait(message: bytes, call: Call) -> bytes:
        served.started.set()
        try:
            await asyncio.Event().wait()
        finally:
            served.cancelled.set()
        return b""

    async def each(messages: AsyncIterator[bytes], call: Call) -> AsyncIterator[bytes]:
        async for message in messages:
            yield message

    async def fail(message: bytes, call: Call) -> bytes:
        raise ZeroDivisionError

    methods: dict[str, Any] = {
        "Echo": grpc.unary_unary_rpc_method_handler(echo),
        "Repeat": grpc.unary_stream_rpc_method_handler(repeat),
        "Wait": grpc.unary_unary_rpc_method_handler(wait),
        "Each": grpc.stream_stream_rpc_method_handler(each),
        "Fail": grpc.unary_unary_rpc_method_handler(fail),
    }
    return grpc.method_handlers_generic_handler("test.Service", methods)


Start = Callable[..., Awaitable[Served]]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts servers; keywords are those of Http2Server."""
    started: list[Served] = []

    async def start(**options: Any) -> Served:
        served = Served(Http2Server(max_message_bytes=MAX_MESSAGE_BYTES, **options))
        started.append(served)
        served.server.add_generic_rpc_handlers((handlers(served),))
        served.port = await served.server.start("receive.grpc_address", "127.0.0.1:0", tls=None)
        return served

    yield start
    for served in started:
        await served.server.stop(grace_seconds=0)


@pytest.fixture
async def served(start: Start) -> Served:
    return await start()


Connect = Callable[..., Awaitable[Peer]]


@pytest.fixture
async def connect(served: Served) -> AsyncIterator[Connect]:
    """Connects peers; keywords are those of Peer.connect."""
    peers: list[Peer] = []

    async def connect(**options: Any) -> Peer:
        peers.append(await Peer.connect(served.port, **options))
        return peers[-1]

    yield connect
    for peer in peers:
        await peer.close()


@pytest.fixture
async def peer(connect: Connect) -> Peer:
    return await connect()
