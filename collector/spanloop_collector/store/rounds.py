"""Work that is done round after round: when its bell rings, when it is due, and later where ClickHouse is away."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from clickhouse_connect.driver.exceptions import Error

from spanloop_collector.errors import SpanloopError
from spanloop_collector.store.bells import LOOK_AGAIN_SECONDS, Bell

AFTER_FAILURE_SECONDS = 1.0

logger = logging.getLogger(__name__)

Round = Callable[[], Awaitable[float | None]]
"""Returns the seconds until the next one is due; None where only the bell says so."""


async def keep_doing(what: str, do_round: Round, bell: Bell, *, rest_seconds: float = 0.0) -> None:
    """Does a round at once and after each ring, until cancelled; between two of them lie at least `rest_seconds`.

    A round that ClickHouse refuses is done again a second later, however often the bell rings: whoever rings does not
    know that it would fail again.
    """
    while True:
        try:
            pause = await do_round()
        except (Error, SpanloopError) as error:
            # The writer reports that ClickHouse is away.
            logger.debug("%s: will try again reason=%s", what, error)
            await asyncio.sleep(max(AFTER_FAILURE_SECONDS, rest_seconds))
            continue
        await asyncio.sleep(rest_seconds)
        pause = LOOK_AGAIN_SECONDS if pause is None else min(pause, LOOK_AGAIN_SECONDS)
        await bell.wait(max(pause - rest_seconds, 0.0))
