"""Work that is done when a bell rings: soon, not too often, and rarely while it cannot be done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from spanloop_collector.errors import StoreUnavailableError
from spanloop_collector.store.bells import Bell
from spanloop_collector.store.rounds import keep_doing

A_WHILE = 0.3


async def count_rounds(
    do_round: Callable[[Bell], Awaitable[float | None]], *, rest_seconds: float = 0.0, seconds: float = A_WHILE
) -> int:
    """How many rounds there are in so many seconds."""
    bell, count = Bell(), 0

    async def counted() -> float | None:
        nonlocal count
        count += 1
        return await do_round(bell)

    doing = asyncio.create_task(keep_doing("test", counted, bell, rest_seconds=rest_seconds))
    await asyncio.sleep(seconds)
    doing.cancel()
    await asyncio.gather(doing, return_exceptions=True)
    return count


async def test_a_round_follows_a_ring_or_the_time_that_the_last_one_named() -> None:
    rings = iter([True, True, False])

    async def rung(bell: Bell) -> None:
        if next(rings):
            bell.ring()

    async def due(bell: Bell) -> float:
        return 0.1

    assert await count_rounds(rung) == 3
    assert 2 <= await count_rounds(due) <= 4


async def test_between_rounds_lies_a_rest_however_often_the_bell_rings() -> None:
    async def busy(bell: Bell) -> float:
        bell.ring()
        return 0.0

    assert await count_rounds(busy, rest_seconds=10) == 1
    assert 2 <= await count_rounds(busy, rest_seconds=0.1) <= 4


async def test_a_round_that_clickhouse_refuses_waits_however_often_the_bell_rings() -> None:
    async def refused(bell: Bell) -> None:
        bell.ring()
        raise StoreUnavailableError("away")

    assert await count_rounds(refused) == 1
    assert await count_rounds(refused, seconds=1.3) == 2
