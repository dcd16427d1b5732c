"""Scoring steps back while spans wait to be stored."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from spanloop_collector.score.pace import MAX_REST_SECONDS, REST_PER_WORK, Pace
from spanloop_collector.settings import SpoolSettings
from spanloop_collector.spool import Spool

WORK_SECONDS = 0.01


async def rested(pace: Pace, worked_seconds: float, **options: float) -> float:
    loop = asyncio.get_running_loop()
    began = loop.time()
    await pace.rest(worked_seconds, **options)
    return loop.time() - began


async def test_rest_is_a_multiple_of_work_only_while_spans_wait() -> None:
    behind, in_time = Pace(lambda: True), Pace(lambda: False)

    assert await rested(behind, WORK_SECONDS) >= WORK_SECONDS * REST_PER_WORK * 0.99
    assert await rested(in_time, 60.0) < MAX_REST_SECONDS
    assert 0.019 <= await rested(in_time, 60.0, most_seconds=0.02) < MAX_REST_SECONDS


async def test_a_spool_is_behind_while_nobody_takes_what_is_sealed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spanloop_collector.spool.spool.BEHIND_NS", 0)
    spool = Spool.open(tmp_path, SpoolSettings(), signal="traces", flush_after_seconds=60)
    assert not spool.is_behind
    await spool.append(b"x", item_count=1)
    assert not spool.is_behind
    spool.seal()
    segment = await spool.take(10)
    assert segment is not None
    assert not spool.is_behind
    spool.release(segment)
    assert spool.is_behind
    await spool.close()
