"""What was acknowledged reaches ClickHouse once, whatever happens on the way."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from spanloop_collector.receive.shape import ITEMS, RESOURCES, SCOPES, STAMP_FIELD
from spanloop_collector.receive.stamp import encode_stamp
from spanloop_collector.receive.wire import put_in, take_out
from spanloop_collector.settings import SpoolSettings, StoreSettings, WriteSettings
from spanloop_collector.spool import Spool
from spanloop_collector.store import Store
from spanloop_collector.write import Writer
from spanloop_collector.write.dead_letter import DeadLetters

from tests.collector.schema.spans import START, request, span
from tests.support.clickhouse_process import ClickHouseProcess

pytestmark = pytest.mark.also_on_cluster

POISON = b"\x0a\x05\x12\x03\x12\x01\xff"  # lengths that reach beyond their message


class Line:
    """A spool, a store and the writer between them."""

    def __init__(self, directory: Path, store: Store) -> None:
        self.spool = Spool.open(directory / "spool", SpoolSettings(), signal="traces", flush_after_seconds=0.01)
        self.store = store
        self.dead_letters = DeadLetters(directory / "dead", store)
        self.writer = Writer("traces", self.spool, store, self.dead_letters, WriteSettings(retry_max_seconds=0.2))

    async def names(self) -> list[str]:
        """Names of all rows, sorted."""
        return await asyncio.to_thread(self.store.column, f"SELECT name FROM {self.store.database}.logs ORDER BY name")


@asynccontextmanager
async def line(directory: Path, store: Store) -> AsyncIterator[Line]:
    opened = Line(directory, store)
    yield opened
    await opened.spool.close()


async def test_spans_are_visible_after_the_barrier(store: Store, tmp_path: Path) -> None:
    async with line(tmp_path, store) as it:
        it.writer.start()
        for name in ("a", "b"):
            await it.spool.append(request(span(name=name)), item_count=1)

        await it.writer.barrier()

        assert await it.names() == ["a", "b"]
        assert it.spool.backlog().items == 0
        await it.writer.stop(5)


async def test_the_barrier_holds_for_what_was_acknowledged_an_instant_before(store: Store, tmp_path: Path) -> None:
    async with line(tmp_path, store) as it:
        it.writer.start()
        for number in range(15):
            await it.spool.append(request(span(name=f"{number:02}")), item_count=1)
            await it.writer.barrier()
            assert len(await it.names()) == number + 1
        await it.writer.stop(5)


async def test_clickhouse_rests_between_inserts_while_spans_keep_coming(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inserts = []

    def timed(*args: Any, **named: Any) -> None:
        began = time.monotonic()
        Store.insert_otlp(store, *args, **named)
        inserts.append((began, time.monotonic()))

    monkeypatch.setattr(store, "insert_otlp", timed)
    async with line(tmp_path, store) as it:
        it.writer.start()
        number = 0
        while len(inserts) < 6:
            number += 1
            await it.spool.append(request(span(name=f"{number:04}")), item_count=1)
            await asyncio.sleep(0.01)
        await it.writer.barrier()
        await it.writer.stop(5)

    taken = sum(ended - began for began, ended in inserts[:5])
    rests = sum(after[0] - before[1] for before, after in pairwise(inserts[:6]))
    assert rests > taken


async def test_a_segment_inserted_before_a_crash_is_not_doubled(store: Store, tmp_path: Path) -> None:
    async with line(tmp_path, store) as it:
        await it.spool.append(request(span(name="once")), item_count=1)
        segment = await it.spool.take(5)
        assert segment is not None
        # The insert succeeded and the process died before the segment was removed.
        store.insert_otlp("traces", segment.path, token=segment.token)

    async with line(tmp_path, store) as it:
        it.writer.start()
        await it.writer.barrier()
        await it.writer.stop(5)

    assert store.column(f"SELECT count() FROM {store.database}.spans") == [1]


async def test_a_segment_is_read_where_a_proxy_or_tls_is_between(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spanloop_collector.store.connect.file_sending_pool", lambda address: None)
    async with line(tmp_path, store) as it:
        store.close()  # its clients were made before
        it.writer.start()
        await it.spool.append(request(span(name="read")), item_count=1)
        await it.writer.barrier()
        assert await it.names() == ["read"]
        await it.writer.stop(5)


async def test_a_running_span_is_replaced_by_its_finished_self(store: Store, tmp_path: Path) -> None:
    ids: dict[str, Any] = {"trace_id": b"t" * 16, "span_id": b"s" * 8}
    async with line(tmp_path, store) as it:
        it.writer.start()
        # The finished one arrives first, with an earlier time of writing, and still counts.
        await it.spool.append(request(span(name="finished", **ids), received=1), item_count=1)
        await it.writer.barrier()
        await it.spool.append(request(span(name="running", end_time_unix_nano=0, **ids), received=2), item_count=1)
        await it.writer.barrier()

        assert await it.names() == ["finished"]
        await it.writer.stop(5)


async def test_a_refused_request_becomes_a_dead_letter_and_its_neighbours_are_stored(
    store: Store, tmp_path: Path
) -> None:
    async with line(tmp_path, store) as it:
        for number in range(3):
            await it.spool.append(request(span(name=f"good {number}")), item_count=1)
        await it.spool.append(POISON, item_count=1)
        await it.spool.append(request(span(name="good 3")), item_count=1)
        it.writer.start()
        await it.writer.barrier()

        assert await it.names() == [f"good {number}" for number in range(4)]
        (letter,) = it.dead_letters.waiting()
        assert it.dead_letters.payload(letter) == POISON
        listed = store.query(f"SELECT id, item_count, code, state FROM {store.database}.dead_letters").result_rows
        assert listed == [(letter.id, 1, letter.code, "waiting")]
        assert letter.code
        assert letter.reason
        await it.writer.stop(5)


async def test_a_bad_span_costs_none_of_the_spans_in_its_request(store: Store, tmp_path: Path) -> None:
    bad = b"\x0a\x10short"  # a trace id that is longer than its span
    async with line(tmp_path, store) as it:
        good = [span(name=f"good {number}") for number in range(4)]
        stamped, scopes = take_out(take_out(request(*good), RESOURCES)[1][0], SCOPES)
        resource = take_out(stamped, STAMP_FIELD)[0] + encode_stamp(
            project="shop", default_project="", received_unix_nano=START
        )
        scope, items = take_out(scopes[0], ITEMS)

        def requested(*spans: bytes) -> bytes:
            return put_in(b"", RESOURCES, [put_in(resource, SCOPES, [put_in(scope, ITEMS, spans)])])

        await it.spool.append(requested(*items[:3], bad, items[3]), item_count=5)
        it.writer.start()
        await it.writer.barrier()

        assert await it.names() == [f"good {number}" for number in range(4)]
        (letter,) = it.dead_letters.waiting()
        assert it.dead_letters.payload(letter) == requested(bad)
        assert letter.item_count == 1
        listed = f"SELECT project, item_count FROM {store.database}.dead_letters"
        assert store.query(listed).result_rows == [("shop", 1)]
        await it.writer.stop(5)


async def test_nothing_is_given_up_while_clickhouse_is_away(
    own_clickhouse_server: ClickHouseProcess, tmp_path: Path
) -> None:
    store = Store.open(StoreSettings(clickhouse_url=own_clickhouse_server.url, database="away"), tmp_path)
    async with line(tmp_path, store) as it:
        it.writer.start()
        await it.spool.append(request(span(name="before")), item_count=1)
        await it.writer.barrier()

        await asyncio.to_thread(own_clickhouse_server.kill)
        await it.spool.append(request(span(name="during")), item_count=1)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(it.writer.barrier(), 1)
        await asyncio.to_thread(own_clickhouse_server.start)
        await asyncio.wait_for(it.writer.barrier(), 30)

        assert await it.names() == ["before", "during"]
        await it.writer.stop(5)
    store.close()


async def test_stopping_while_clickhouse_is_away_keeps_the_segment(
    own_clickhouse_server: ClickHouseProcess, tmp_path: Path
) -> None:
    store = Store.open(StoreSettings(clickhouse_url=own_clickhouse_server.url, database="away"), tmp_path)
    own_clickhouse_server.kill()
    async with line(tmp_path, store) as it:
        it.writer.start()
        await it.spool.append(request(span(name="kept")), item_count=1)

        await it.writer.stop(drain_seconds=0.5)

        assert it.spool.backlog().items == 1
    async with line(tmp_path, store) as it:
        assert it.spool.backlog().items == 1
    store.close()
