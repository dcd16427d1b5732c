-- One row per span: the table behind `logs` and `traces`.
--
-- The newest version of a span wins: `version` is the time of writing, with finished spans above running ones.
-- Partitions are weeks, so that retention drops whole parts; times no clock shows share one partition. Rows of
-- experiments lie apart: they are kept for good, and production's queries never see their parts. The sort key finds
-- those of one experiment; a skip index would be asked about every granule by each query over production.
-- Rows arrive with the default codec (LZ4), which costs half as much as ZSTD, and are compressed for good by a merge
-- once they have rested for ten minutes.
-- They do not say twice what they say: `id` is '' where it is that of the span, and `metrics` is without what a column
-- tells (start, end, tokens, cost); the view `logs` adds them, and the index of ids follows what it says.
-- A part as large as an insert is one file, not one for every stream of every column: that is a sixth of what storing a
-- span costs. Merges make parts above this size, and those are what queries over history read. A merge's buffers grow
-- with what they hold, its blocks are small, and above that size it goes column by column however few the rows. It reads
-- each of its parts a granule at a time, so granules are small as well. Beside 1,000 spans a second it would else take
-- more than half of the memory.
-- Lengths of a map's texts lie with the texts: apart from them, they take four bytes a row.
CREATE TABLE IF NOT EXISTS {database}.spans {on_cluster}
(
    project LowCardinality(String),
    created DateTime64(9, 'UTC') CODEC(Delta, Default),
    end_time DateTime64(9, 'UTC') CODEC(Delta, Default),
    version UInt64 CODEC(Delta, Default),
    received DateTime64(6, 'UTC') CODEC(Delta, Default),
    id String,
    trace_id String,
    span_id String,
    parent_id String,
    name LowCardinality(String),
    type LowCardinality(String),
    input String,
    output String,
    expected String,
    error String,
    scores Map(LowCardinality(String), Float64),
    metrics Map(LowCardinality(String), Float64),
    model LowCardinality(String),
    provider LowCardinality(String),
    tokens Float64,
    cost Float64,
    metadata Map(LowCardinality(String), String),
    metadata_json Array(LowCardinality(String)),
    tags Array(LowCardinality(String)),
    origin String,
    experiment_id LowCardinality(String),
    kind LowCardinality(String),
    status_code LowCardinality(String),
    trace_state String,
    scope_name LowCardinality(String),
    scope_version LowCardinality(String),
    resource Map(LowCardinality(String), String),
    events {events},
    links {links},
    -- What `traces` finds the spans of its traces by, read several times faster than the id it stands for. In the sort
    -- key, though it orders nothing: under FINAL, only a condition on the key comes before the rest of a row is read.
    -- LZ4 for good: ZSTD would take three times as long to read.
    trace_hash UInt32 MATERIALIZED xxHash32(trace_id) CODEC(LZ4),

    INDEX by_trace_id trace_id TYPE bloom_filter(0.00001),
    INDEX by_span_id span_id TYPE bloom_filter(0.025),
    INDEX by_id {row_id} TYPE bloom_filter(0.025),
    INDEX by_received received TYPE minmax,
    INDEX by_metadata mapValues(metadata) TYPE bloom_filter(0.025),
    INDEX by_input_words lower(input) TYPE text(tokenizer = splitByNonAlpha, posting_list_codec = 'bitpacking'),
    INDEX by_output_words lower(output) TYPE text(tokenizer = splitByNonAlpha, posting_list_codec = 'bitpacking')
)
ENGINE = {replacing}(version)
PARTITION BY ({week_of:created}, experiment_id != '')
ORDER BY (project, experiment_id, created, trace_id, span_id, trace_hash)
TTL toDateTime(received) + INTERVAL 10 MINUTE RECOMPRESS CODEC(ZSTD(3))
SETTINGS
    non_replicated_deduplication_window = 10000,
    index_granularity = 8192,
    index_granularity_bytes = 3145728,
    min_bytes_for_wide_part = 201326592,
    min_columns_to_activate_adaptive_write_buffer = 1,
    merge_max_block_size_bytes = 2097152,
    vertical_merge_algorithm_min_rows_to_activate = 1,
    propagate_types_serialization_versions_to_nested_types = 0;
