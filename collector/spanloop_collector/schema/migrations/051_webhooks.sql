-- What alerts have seen and what webhooks wait to be delivered: only the newest version of each is of use, and old
-- ones go. A version is inserted with a deduplication token of its own, as in `changes`.
CREATE TABLE IF NOT EXISTS {database}.webhook_events {on_cluster}
(
    kind LowCardinality(String),
    project String,
    id String,
    version UInt64,
    change_id String,
    time DateTime64(3, 'UTC'),
    action LowCardinality(String),
    actor String,
    key_id String,
    comment String,
    changed String,
    state String CODEC(ZSTD(3))
)
ENGINE = {replacing}(version)
ORDER BY (kind, project, id)
TTL toDateTime(time) + INTERVAL 90 DAY
SETTINGS non_replicated_deduplication_window = 10000;

-- Addresses and signing secrets; never read by SQL from outside. Without a project, so that readers of one see none.
CREATE TABLE IF NOT EXISTS {database}.webhook_targets {on_cluster}
(
    owner String,
    url String,
    secret String,
    version UInt64
)
ENGINE = {replacing}(version)
ORDER BY owner;
