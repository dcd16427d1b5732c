"""A caller who hangs up: what ends then, and what goes on to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine
from typing import Any, TypeVar

from starlette.requests import Request

from spanloop_collector.query.refusal import refuse

Answer = TypeVar("Answer")

_going_on: set[asyncio.Task[Any]] = set()
"""The event loop itself would let tasks be collected that nobody waits for."""


async def while_connected(request: Request, running: Awaitable[Answer]) -> Answer:
    """What `running` returns; it is cancelled when the client, who has sent everything, hangs up."""
    work = asyncio.ensure_future(running)
    gone = asyncio.create_task(_hung_up(request))
    try:
        await asyncio.wait((work, gone), return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            raise refuse("QUERY_WAS_CANCELLED", "The client hung up")
        return work.result()
    finally:
        work.cancel()
        gone.cancel()


async def _hung_up(request: Request) -> None:
    # Of a request without a body, the first message says that it has none.
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def finished(work: Coroutine[Any, Any, Answer]) -> Answer:
    """What `work` returns; it goes on to its end, with what it holds, also when its caller is cancelled."""
    task = asyncio.create_task(work)
    _going_on.add(task)
    task.add_done_callback(_going_on.discard)
    return await asyncio.shield(task)
