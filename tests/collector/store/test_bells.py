"""Who waits for a table hears that it was written: at once in the same collector, soon from another one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable

import pytest
from spanloop_collector.store import Store, bells
from spanloop_collector.store.bells import Bell, Bells, hear_others
from spanloop_collector.store.changes import Actor, Change, ChangeLog

A_WHILE = 0.3
LONG = 20.0


async def rings(bell: Bell, *, within: float) -> bool:
    """Whether the bell rings in that time."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    await bell.wait(within)
    return loop.time() - began < within


def change(version: int) -> Change:
    return Change("shop", "thing", version, "changed", Actor("anna"), {"version": version})


async def test_a_bell_rings_for_its_tables_once_whoever_pulls_it() -> None:
    tower = Bells()
    with tower.listen("alerts", "rules") as bell, tower.listen("keys"):
        assert tower.tables == ["alerts", "keys", "rules"]
        tower.ring("keys")
        assert not await rings(bell, within=A_WHILE)
        threading.Thread(target=tower.ring, args=("rules",)).start()
        assert await rings(bell, within=LONG)
        tower.ring("alerts")
        tower.ring("rules")
        assert await rings(bell, within=LONG)
        assert not await rings(bell, within=A_WHILE)
    assert tower.tables == []


async def test_a_thread_that_outlives_the_loop_may_still_ring() -> None:
    with Bells().listen("alerts") as bell:
        pass
    loop = asyncio.new_event_loop()
    bell._loop = loop
    loop.close()
    bell.ring()


async def test_every_kind_of_write_rings(store: Store) -> None:
    writes: dict[str, Callable[[], object]] = {
        "changes": lambda: ChangeLog(store, "toy").append(change(1)),
        "model_prices": lambda: store.insert_rows("model_prices", [("a/b", [1.0])], ("key", "prices")),
        "spans": lambda: store.insert_otlp("traces", b"", token="empty"),
    }
    for table, write in writes.items():
        with store.bells.listen(table) as bell:
            await asyncio.to_thread(write)
            assert await rings(bell, within=LONG)


@pytest.fixture
async def elsewhere(store: Store, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Store]:
    """Another collector's store over the same server, which hears what `store` writes."""
    monkeypatch.setattr(bells, "LOOK_FOR_OTHERS_SECONDS", 0.1)
    other = Store(store.settings, store.data_dir)
    hearing = asyncio.create_task(hear_others(other))
    yield other
    hearing.cancel()
    await asyncio.gather(hearing, return_exceptions=True)
    other.close()


# An embedded ClickHouse has one collector.
on_a_server = pytest.mark.parametrize("migrated_store", ["server"], indirect=True)


@on_a_server
async def test_what_another_collector_writes_is_heard(store: Store, elsewhere: Store) -> None:
    log = ChangeLog(store, "toy")
    with elsewhere.bells.listen("changes") as bell, elsewhere.bells.listen("variant_runs") as silent:
        # The first look finds everything new.
        assert await rings(bell, within=LONG)
        assert await rings(silent, within=LONG)
        for version in (1, 2):
            assert not await rings(bell, within=A_WHILE)
            await asyncio.to_thread(log.append, change(version))
            assert await rings(bell, within=LONG)
        await asyncio.to_thread(store.command, f"OPTIMIZE TABLE {store.database}.changes FINAL")
        assert not await rings(bell, within=A_WHILE)
        assert not await rings(silent, within=A_WHILE)


@on_a_server
async def test_when_clickhouse_was_away_everybody_looks_again(
    elsewhere: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with elsewhere.bells.listen("changes") as bell:
        assert await rings(bell, within=LONG)
        monkeypatch.setattr(bells, "READ_NEWEST", "SELECT * FROM nowhere")
        await asyncio.sleep(A_WHILE)
        monkeypatch.undo()
        assert await rings(bell, within=LONG)
