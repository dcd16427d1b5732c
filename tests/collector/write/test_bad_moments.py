"""ClickHouse that is slow, breaks off, or refuses for a while: nothing is given up, nothing is doubled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from spanloop_collector.settings import StoreSettings
from spanloop_collector.store import Store

from tests.collector.schema.spans import request, span
from tests.collector.write.test_writer import line
from tests.support.slow_link import slow_link

Change = Callable[[Store], object]


def too_many_parts(store: Store) -> None:
    store.command(
        f"ALTER TABLE {store.database}.spans MODIFY SETTING parts_to_throw_insert = 1, parts_to_delay_insert = 0"
    )


def parts_allowed(store: Store) -> None:
    store.command(f"ALTER TABLE {store.database}.spans RESET SETTING parts_to_throw_insert, parts_to_delay_insert")


def table_gone(store: Store) -> None:
    store.command(f"RENAME TABLE {store.database}.spans TO {store.database}.spans_elsewhere")


def table_back(store: Store) -> None:
    store.command(f"RENAME TABLE {store.database}.spans_elsewhere TO {store.database}.spans")


@pytest.mark.parametrize(
    ("worsen", "mend"),
    [(too_many_parts, parts_allowed), (table_gone, table_back)],
    ids=["too many parts", "no table"],
)
async def test_what_is_refused_for_the_moment_is_stored_when_it_has_passed(
    store: Store, tmp_path: Path, worsen: Change, mend: Change
) -> None:
    async with line(tmp_path, store) as it:
        it.writer.start()
        await it.spool.append(request(span(name="before")), item_count=1)
        await it.writer.barrier()
        worsen(store)
        try:
            await it.spool.append(request(span(name="during")), item_count=1)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(it.writer.barrier(), 1)
        finally:
            mend(store)
        await asyncio.wait_for(it.writer.barrier(), 30)

        assert await it.names() == ["before", "during"]
        assert not list(it.dead_letters.waiting())
        await it.writer.stop(5)


async def test_slow_answers_and_broken_connections_leave_every_span_once(
    clickhouse_server: str, tmp_path: Path
) -> None:
    names = [f"{number:02}" for number in range(30)]
    with slow_link(clickhouse_server) as link:
        store = Store.open(StoreSettings(clickhouse_url=link.url, database="slow_link"), tmp_path)
        async with line(tmp_path, store) as it:
            it.writer.start()
            link.delay_seconds = 0.2
            for name in names:
                await it.spool.append(request(span(name=name)), item_count=1)
                await asyncio.sleep(0.05)
                if int(name) % 4 == 0:
                    link.cut()
            link.delay_seconds = 0.0
            await asyncio.wait_for(it.writer.barrier(), 60)

            assert await it.names() == names
            assert store.column(f"SELECT count() FROM {store.database}.spans") == [len(names)]
            assert not list(it.dead_letters.waiting())
            await it.writer.stop(5)
        store.command("DROP DATABASE slow_link")
        store.close()
