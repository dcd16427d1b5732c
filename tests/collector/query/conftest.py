"""A ClickHouse with rows of two projects behind views, and a secret that nobody may read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from spanloop_collector.query.queries import Queries
from spanloop_collector.settings import QuerySettings, StoreSettings

from tests.support.plain_store import PlainStore

ROWS_PER_PROJECT = 3000
BANK_SECRET = "IBAN-4711"
KEY_SECRET = "deadbeefcafe"

SCHEMA = """
CREATE TABLE {database}.spans
(
    project LowCardinality(String),
    created DateTime64(9, 'UTC'),
    id String,
    parent_id String,
    name String,
    type LowCardinality(String),
    input String,
    output String,
    metadata Map(LowCardinality(String), String),
    metrics Map(LowCardinality(String), Float64),
    tags Array(String),
    version UInt64
)
ENGINE = ReplacingMergeTree(version) ORDER BY (project, created, id)
SETTINGS min_bytes_for_wide_part = 0;

CREATE TABLE {database}.plain_spans AS {database}.spans ENGINE = MergeTree ORDER BY (project, created)
SETTINGS min_bytes_for_wide_part = 0;

CREATE VIEW {database}.logs AS SELECT * EXCEPT version, parent_id = '' AS is_root FROM {database}.spans FINAL;

CREATE VIEW {database}.traces AS SELECT * EXCEPT version FROM {database}.plain_spans;

CREATE TABLE {database}.datasets (project String, name String) ENGINE = MergeTree ORDER BY name;

CREATE TABLE {database}.settings_of_ours (name String, value String) ENGINE = MergeTree ORDER BY name;
"""

# A few thousand rows per project share blocks when they are read. Wide parts and a large column make ClickHouse
# evaluate conditions before it reads the rest, as it does with real rows.
FILL = """
INSERT INTO {database}.{table}
SELECT
    if(number % 2 = 0, 'shop', 'bank') AS project,
    toDateTime64('2026-05-04 12:00:00', 9, 'UTC') + number,
    toString(number),
    '',
    if(number % 2 = 0, 'chat', 'transfer'),
    'llm',
    if(number % 2 = 0, toString(number), '{secret}'),
    repeat('x', 500),
    map('user', if(number % 2 = 0, '7', '{secret}')),
    map('tokens', number),
    [if(number % 2 = 0, 'a', '{secret}')],
    1
FROM numbers({count})
"""


@pytest.fixture(scope="module")
def store(
    file_store_settings: StoreSettings, embedded_directory: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PlainStore]:
    """A database with two projects, `shop` and `bank`, once embedded and once on a server."""
    store = PlainStore(file_store_settings, embedded_directory, tmp_path_factory.mktemp("query"))
    names = {"database": store.database, "count": ROWS_PER_PROJECT * 2, "secret": BANK_SECRET}
    for statement in SCHEMA.format(**names).split(";"):
        if statement.strip():
            store.command(statement)
    for table in ("spans", "plain_spans"):
        store.command(FILL.format(table=table, **names))
    store.command(f"INSERT INTO {store.database}.datasets SELECT 'bank', '{BANK_SECRET}'")
    store.command(f"INSERT INTO {store.database}.settings_of_ours SELECT 'smtp', '{KEY_SECRET}'")
    store.create_keys_table()
    store.command(
        f"INSERT INTO {store.database}.api_keys SELECT 'k1', '', 'bank', ['read'], '{KEY_SECRET}', now(), false, 1"
    )
    yield store
    store.close()


@pytest.fixture
def limits() -> QuerySettings:
    """Small bounds, so that tests reach them."""
    return QuerySettings(
        max_execution_seconds=2, max_memory_bytes=256 << 20, max_result_rows=20_000, max_result_bytes=8 << 20
    )


@pytest.fixture
async def queries(store: PlainStore, limits: QuerySettings) -> AsyncIterator[Queries]:
    """SQL from outside on that database."""
    queries = Queries(store, limits)
    yield queries
    await queries.close()
