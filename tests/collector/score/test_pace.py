"""Scoring steps back while spans wait to be stored."""

from __future__ import annotations

import asyncio

from spanloop_collector.score.pace import CALM_SECONDS, MAX_REST_SECONDS, REST_PER_WORK, Pace

WORK_SECONDS = 0.01


async def rested(pace: Pace, worked_seconds: float, **options: float) -> float:
    loop = asyncio.get_running_loop()
    began = loop.time()
    await pace.rest(worked_seconds, **options)
    return loop.time() - began


async def test_rest_is_a_multiple_of_work_only_while_spans_wait() -> None:
    behind, in_time = Pace(lambda: 0.0), Pace(lambda: CALM_SECONDS * 2)

    assert await rested(behind, WORK_SECONDS) >= WORK_SECONDS * REST_PER_WORK * 0.99
    assert await rested(in_time, 60.0) < MAX_REST_SECONDS
    assert 0.019 <= await rested(in_time, 60.0, most_seconds=0.02) < MAX_REST_SECONDS


async def test_rest_ends_with_the_burst() -> None:
    calm = iter([0.0, CALM_SECONDS * 2])

    assert await rested(Pace(lambda: next(calm)), 60.0) < MAX_REST_SECONDS / 2
