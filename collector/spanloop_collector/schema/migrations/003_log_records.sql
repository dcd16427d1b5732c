-- OTLP log records: the table behind `otel_logs`.
-- A record has no id of its own: the same record twice is the same time, span and content.

CREATE TABLE IF NOT EXISTS {database}.log_records {on_cluster}
(
    project LowCardinality(String),
    time DateTime64(9, 'UTC') CODEC(Delta, Default),
    observed_time DateTime64(9, 'UTC') CODEC(Delta, Default),
    received DateTime64(6, 'UTC') CODEC(Delta, Default),
    trace_id String,
    span_id String,
    severity LowCardinality(String),
    severity_number UInt8,
    body String,
    event_name LowCardinality(String),
    attributes Map(LowCardinality(String), String),
    resource Map(LowCardinality(String), String),
    scope_name LowCardinality(String),
    scope_version LowCardinality(String),
    content_hash UInt64,

    INDEX by_trace_id trace_id TYPE bloom_filter(0.001),
    INDEX by_received received TYPE minmax,
    INDEX by_body_words lower(body) TYPE text(tokenizer = splitByNonAlpha, posting_list_codec = 'bitpacking')
)
ENGINE = {replacing}(received)
PARTITION BY {week_of:time}
ORDER BY (project, time, trace_id, span_id, content_hash)
TTL toDateTime(received) + INTERVAL 10 MINUTE RECOMPRESS CODEC(ZSTD(3))
SETTINGS non_replicated_deduplication_window = 10000;
