-- Tasks and runs of experiments with variants: only the newest version of each is of use. A version is inserted with a
-- deduplication token of its own, as in `changes`.
CREATE TABLE IF NOT EXISTS {database}.variant_runs {on_cluster}
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
SETTINGS non_replicated_deduplication_window = 10000;
