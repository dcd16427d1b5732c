"""Merges of `spans` wait while inserts are behind, and only then."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError
from spanloop_collector.spool.record import delimited
from spanloop_collector.store import Store
from spanloop_collector.write import merges
from spanloop_collector.write.merges import MergePacer

from tests.collector.schema.spans import request, span

ABORTED = 236


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merges, "LOOK_EVERY_SECONDS", 0.02)
    monkeypatch.setattr(merges, "CALM_SECONDS", 0.1)


@dataclass
class Inserts:
    calm_seconds: float = math.inf


async def test_merges_wait_for_a_burst_and_go_on_after_it(store: Store) -> None:
    store.insert_otlp("traces", delimited(request(span(name="stored"))), token="stored")
    inserts = Inserts()
    async with running(MergePacer(store, lambda: inserts.calm_seconds)):
        assert await merges_become(True, store)
        inserts.calm_seconds = 0.0
        assert await merges_become(False, store)
        inserts.calm_seconds = merges.CALM_SECONDS * 2
        assert await merges_become(True, store)


async def test_a_pacer_that_ends_leaves_merges_running(store: Store) -> None:
    store.insert_otlp("traces", delimited(request(span(name="stored"))), token="stored")
    async with running(MergePacer(store, lambda: 0.0)):
        assert await merges_become(False, store)
    assert await merges_become(True, store)


@asynccontextmanager
async def running(pacer: MergePacer) -> AsyncIterator[None]:
    task = asyncio.create_task(pacer.run())
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def merges_become(wanted: bool, store: Store) -> bool:
    """Whether merges run, or do not, within ten seconds."""
    for _ in range(200):
        if await asyncio.to_thread(do_merges_run, store) == wanted:
            return True
        await asyncio.sleep(0.05)
    return False


def do_merges_run(store: Store) -> bool:
    try:
        store.command(f"OPTIMIZE TABLE {store.database}.spans FINAL")
    except DatabaseError as error:
        if error.code != ABORTED:
            raise
        return False
    return True
