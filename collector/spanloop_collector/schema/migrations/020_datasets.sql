-- Datasets and every version of their rows.

CREATE TABLE IF NOT EXISTS {database}.dataset_registry {on_cluster}
(
    project LowCardinality(String),
    id String,
    name String,
    description String,
    metadata String,
    tags Array(LowCardinality(String)),
    input_schema String,
    expected_schema String,
    created DateTime64(9, 'UTC'),
    is_deleted Bool,
    version UInt64
)
ENGINE = {replacing}(version)
ORDER BY (project, id);

-- Nothing is ever changed here: an update and a deletion are rows of a later version.
-- `byte_count` lets a reader bound its page before it reads the texts.
CREATE TABLE IF NOT EXISTS {database}.dataset_row_versions {on_cluster}
(
    project LowCardinality(String),
    dataset_id LowCardinality(String),
    id String,
    version UInt64,
    is_deleted Bool,
    created DateTime64(9, 'UTC'),
    input String,
    expected String,
    metadata Map(LowCardinality(String), String),
    metadata_json Array(LowCardinality(String)),
    tags Array(LowCardinality(String)),
    origin String,
    origin_id String DEFAULT JSONExtractString(origin, 'id'),
    origin_hash UInt64 DEFAULT if(origin = '', 0, cityHash64(
        JSONExtractString(origin, 'object_type'), JSONExtractString(origin, 'object_id'), JSONExtractString(origin, 'id')
    )),
    input_hash UInt64 DEFAULT cityHash64(input),
    byte_count UInt64 DEFAULT length(input) + length(expected) + length(origin),

    INDEX by_origin_id origin_id TYPE bloom_filter(0.01)
)
ENGINE = {replacing}
ORDER BY (project, dataset_id, id, version)
-- Rows arrive uncompressed, for compressing is an eighth of what copying many costs; it is done, and for good, by a merge
-- once they have rested for ten minutes.
TTL toDateTime(created) + INTERVAL 10 MINUTE RECOMPRESS CODEC(ZSTD(3))
-- Writers look rows up by id, a few hundred at once from all over the dataset: small granules keep that cheap.
-- A copy of many rows makes parts of some megabytes one after the other. Merged five at a time, as they come, they cost
-- as much again as the copy itself; so they are left until there are dozens. Small parts are merged soon all the same.
SETTINGS index_granularity = 512, merge_selector_base = 100, default_compression_codec = 'NONE';

-- One row per change that is complete: readers of "the newest version" read up to the newest of these.
CREATE TABLE IF NOT EXISTS {database}.dataset_change_log {on_cluster}
(
    project LowCardinality(String),
    dataset_id String,
    version UInt64,
    operation LowCardinality(String),
    inserted UInt64,
    updated UInt64,
    deleted UInt64,
    key_id String
)
ENGINE = {replacing}
ORDER BY (project, dataset_id, version);

CREATE TABLE IF NOT EXISTS {database}.dataset_snapshot_log {on_cluster}
(
    project LowCardinality(String),
    dataset_id String,
    name String,
    dataset_version UInt64,
    description String,
    created DateTime64(9, 'UTC'),
    is_deleted Bool,
    version UInt64
)
ENGINE = {replacing}(version)
ORDER BY (project, dataset_id, name);
