-- Requests that ClickHouse refuses because of their data; their bytes lie in the collector's `dead/` folder.

CREATE TABLE IF NOT EXISTS {database}.dead_letters {on_cluster}
(
    id String,
    signal LowCardinality(String),
    project LowCardinality(String),
    created DateTime64(3, 'UTC'),
    item_count UInt32,
    byte_count UInt64,
    code Int32,
    reason String,
    state Enum8('waiting' = 1, 'replayed' = 2, 'deleted' = 3),
    version UInt64
)
ENGINE = {replacing}(version)
ORDER BY id
SETTINGS non_replicated_deduplication_window = 1000;
