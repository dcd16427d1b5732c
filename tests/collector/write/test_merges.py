"""Merges of `spans` wait while inserts are behind, and only then."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError
from spanloop_collector.settings import SpoolSettings, WriteSettings
from spanloop_collector.spool import Spool
from spanloop_collector.spool.record import delimited
from spanloop_collector.store import Store
from spanloop_collector.write import Writer, merges
from spanloop_collector.write.dead_letter import DeadLetters
from spanloop_collector.write.merges import MergePacer

from tests.collector.schema.spans import request, span

ABORTED = 236


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merges, "LOOK_EVERY_SECONDS", 0.02)
    monkeypatch.setattr(merges, "CALM_SECONDS", 0.1)


async def test_merges_wait_for_a_burst_and_go_on_after_it(store: Store, tmp_path: Path) -> None:
    store.insert_otlp("traces", delimited(request(span(name="stored"))), token="stored")
    spool = Spool.open(tmp_path / "spool", SpoolSettings(), signal="traces")
    async with running(MergePacer(store, [writer_of(spool, store, tmp_path)])):
        assert await merges_become(True, store)
        await spool.append(request(span(name="waits")), item_count=1)
        spool.seal()
        assert await merges_become(False, store)
        segment = await spool.take()
        assert segment is not None
        segment.remove()
        assert await merges_become(True, store)
    await spool.close()


async def test_a_pacer_that_ends_leaves_merges_running(store: Store, tmp_path: Path) -> None:
    store.insert_otlp("traces", delimited(request(span(name="stored"))), token="stored")
    spool = Spool.open(tmp_path / "spool", SpoolSettings(), signal="traces")
    await spool.append(request(span(name="waits")), item_count=1)
    spool.seal()
    async with running(MergePacer(store, [writer_of(spool, store, tmp_path)])):
        assert await merges_become(False, store)
    assert await merges_become(True, store)
    await spool.close()


def writer_of(spool: Spool, store: Store, directory: Path) -> Writer:
    """A writer that was not started: what is sealed waits."""
    return Writer("traces", spool, store, DeadLetters(directory / "dead", store), WriteSettings())


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
