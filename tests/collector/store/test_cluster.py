"""On a cluster: where rows lie, and that it does not matter which node a collector is connected to."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from spanloop_collector.errors import ConfigError
from spanloop_collector.keys.principal import Principal
from spanloop_collector.query.queries import Queries
from spanloop_collector.settings import QuerySettings, StoreSettings
from spanloop_collector.spool.record import delimited
from spanloop_collector.store import Store
from spanloop_collector.store.bells import LOOK_FOR_OTHERS_SECONDS, hear_others
from spanloop_collector.store.changes import Actor, Change, ChangeLog

from tests.collector.schema.spans import START, request, span
from tests.support.clickhouse_cluster import ClusterStore
from tests.support.clickhouse_process import ClickHouseProcess

pytestmark = [pytest.mark.also_on_cluster, pytest.mark.parametrize("migrated_store", ["cluster"], indirect=True)]


@pytest.fixture
def cluster(store: Store) -> ClusterStore:
    """The store, from a collector that is connected to the first node."""
    assert isinstance(store, ClusterStore)
    return store


@pytest.fixture
def other(cluster: ClusterStore, clickhouse_cluster: list[ClickHouseProcess], tmp_path: Path) -> Iterator[Store]:
    """The same database, from a collector that is connected to the second node."""
    settings = StoreSettings(
        clickhouse_url=clickhouse_cluster[1].url, database=cluster.database, cluster=cluster.cluster
    )
    store = ClusterStore(settings, tmp_path, clickhouse_cluster)
    store.migrate()
    yield store
    store.close()


def on_nodes(nodes: list[ClickHouseProcess], sql: str) -> list[set[str]]:
    return [set(node.execute(sql).split()) for node in nodes]


def test_each_trace_lies_on_one_shard(cluster: ClusterStore, clickhouse_cluster: list[ClickHouseProcess]) -> None:
    traces = [os.urandom(16) for _ in range(40)]
    spans = [span(trace_id=trace_id) for trace_id in traces for _ in range(3)]
    cluster.insert_otlp("traces", delimited(request(*spans)), token="many traces")

    first, second = on_nodes(clickhouse_cluster, f"SELECT DISTINCT trace_id FROM {cluster.database}.spans_local")

    assert first
    assert second
    assert not first & second
    assert first | second == {trace_id.hex() for trace_id in traces}
    assert cluster.column(f"SELECT DISTINCT spans FROM {cluster.database}.traces") == [3]


def test_a_batch_sent_again_through_another_node_inserts_nothing(cluster: ClusterStore, other: Store) -> None:
    batch = request(*(span(name="once") for _ in range(20)))
    for store in (cluster, other, other, cluster):
        store.insert_otlp("traces", delimited(batch), token="the same batch")

    # Without FINAL, which would hide the copies.
    assert other.column(f"SELECT count() FROM {cluster.database}.spans") == [20]


def test_a_span_that_ends_through_another_node_is_one_row(cluster: ClusterStore, other: Store) -> None:
    ids: dict[str, Any] = {"trace_id": b"T" * 16, "span_id": b"S" * 8}
    other.insert_otlp("traces", delimited(request(span(**ids, end_time_unix_nano=0))), token="begins")
    cluster.insert_otlp("traces", delimited(request(span(**ids), received=START + 1)), token="ends")

    for store in (cluster, other):
        assert store.column(f"SELECT mapContains(metrics, 'end') FROM {store.database}.logs") == [1]


async def test_a_collector_hears_what_one_at_another_node_wrote(cluster: ClusterStore, other: Store) -> None:
    with cluster.bells.listen("changes") as bell:
        hearing = asyncio.create_task(hear_others(cluster))
        await bell.wait(LOOK_FOR_OTHERS_SECONDS * 2)  # the first look, which rings for everything
        await asyncio.to_thread(ChangeLog(other, "toy").append, Change("p", "id", 1, "made", Actor("ada"), {"a": 1}))
        began = time.monotonic()
        await bell.wait(LOOK_FOR_OTHERS_SECONDS * 10)
        hearing.cancel()
    assert time.monotonic() - began < LOOK_FOR_OTHERS_SECONDS * 8


async def test_a_key_of_one_project_sees_its_rows_on_every_shard_and_no_others(cluster: ClusterStore) -> None:
    for project in ("shop", "bank"):
        spans = [span({"input.value": project}) for _ in range(10)]
        cluster.insert_otlp("traces", delimited(request(*spans, project=project)), token=project)
    queries = Queries(cluster, QuerySettings())
    shop = Principal("key", "shop", frozenset(Principal.anonymous().scopes))

    for table in ("logs", "traces"):
        sql = f"SELECT project, input, count() FROM {table} GROUP BY project, input FORMAT TSV"
        assert (await queries.run(sql, principal=shop)).data == b'shop\t"shop"\t10\n'
    await queries.close()


def test_an_unknown_cluster_is_said_before_anything_is_made(cluster: ClusterStore, tmp_path: Path) -> None:
    settings = StoreSettings(clickhouse_url=cluster.settings.clickhouse_url, database="none", cluster="nowhere")
    store = Store(settings, tmp_path)
    with pytest.raises(ConfigError, match="nowhere is not a cluster"):
        store.migrate()
    store.close()
    assert cluster.column("SELECT count() FROM system.databases WHERE name = 'none'") == [0]
