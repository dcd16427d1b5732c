-- Every change ever made to the things people manage (reviews, alerts, variants), each with who made it and the whole
-- state after it. The newest version of a thing is the thing; all versions together are the audit log.
-- A version is inserted with a deduplication token of its own, so that of two writers only one makes it.
CREATE TABLE IF NOT EXISTS {database}.changes {on_cluster}
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
ENGINE = {replacing}
ORDER BY (kind, project, id, version)
SETTINGS non_replicated_deduplication_window = 10000;
