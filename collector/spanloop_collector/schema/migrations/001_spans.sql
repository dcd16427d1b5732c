-- Where OTLP lands, one row per span, and the table behind `logs` and `traces`.
-- `otlp_traces` and `otlp_spans` keep nothing: views turn what passes through them into rows of `spans`.

CREATE TABLE IF NOT EXISTS {database}.otlp_traces {on_cluster}
(
    resource_spans Array(Tuple(
        resource Tuple(attributes {attributes}),
        scope_spans Array(Tuple(
            scope Tuple(name LowCardinality(String), version LowCardinality(String), attributes {attributes}),
            spans Array(Tuple(
                trace_id String,
                span_id String,
                trace_state String,
                parent_span_id String,
                name LowCardinality(String),
                kind Int32,
                start_time_unix_nano UInt64,
                end_time_unix_nano UInt64,
                attributes {attributes},
                events Array(Tuple(time_unix_nano UInt64, name LowCardinality(String), attributes {attributes})),
                links Array(Tuple(trace_id String, span_id String, trace_state String, attributes {attributes})),
                status Tuple(message String, code Int32)
            ))
        )),
        stamp {stamp}
    ))
)
ENGINE = Null;

-- One row a span on its way to `spans`; keeps nothing.
CREATE TABLE IF NOT EXISTS {database}.otlp_spans {on_cluster}
(
    stamp_project LowCardinality(String),
    default_project LowCardinality(String),
    received_unix_nano UInt64,
    resource Map(LowCardinality(String), String),
    scope_name LowCardinality(String),
    scope_version LowCardinality(String),
    trace_id String,
    span_id String,
    parent_id String,
    trace_state String,
    name LowCardinality(String),
    kind_number Int32,
    start_unix_nano UInt64,
    end_unix_nano UInt64,
    status_number Int32,
    status_message String,
    keys Array(LowCardinality(String)),
    values Array(String),
    heads Array(UInt64),
    codes Array(UInt8),
    events {events},
    links {links}
)
ENGINE = Null;

-- The newest version of a span wins: `version` is the time of writing, with finished spans above running ones.
-- Partitions are weeks, so that retention drops whole parts; times no clock shows share one partition. Rows of
-- experiments lie apart: they are kept for good, and production's queries never see their parts.
-- Rows arrive with the default codec (LZ4), which costs half as much as ZSTD, and are compressed for good by a merge
-- once they have rested for ten minutes.
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

    INDEX by_trace_id trace_id TYPE bloom_filter(0.00001),
    INDEX by_span_id span_id TYPE bloom_filter(0.01),
    INDEX by_id id TYPE bloom_filter(0.01),
    INDEX by_received received TYPE minmax,
    INDEX by_experiment experiment_id TYPE set(100),
    INDEX by_metadata mapValues(metadata) TYPE bloom_filter(0.01),
    INDEX by_input_words lower(input) TYPE text(tokenizer = splitByNonAlpha, posting_list_codec = 'bitpacking'),
    INDEX by_output_words lower(output) TYPE text(tokenizer = splitByNonAlpha, posting_list_codec = 'bitpacking')
)
ENGINE = {replacing}(version)
PARTITION BY ({week_of:created}, experiment_id != '')
ORDER BY (project, created, trace_id, span_id)
TTL toDateTime(received) + INTERVAL 10 MINUTE RECOMPRESS CODEC(ZSTD(3))
SETTINGS non_replicated_deduplication_window = 10000, index_granularity = 8192;
