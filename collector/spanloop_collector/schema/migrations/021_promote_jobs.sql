-- Promotions that a program makes dataset rows for: what is set aside, and how far it is.

CREATE TABLE IF NOT EXISTS {database}.promote_jobs {on_cluster}
(
    project LowCardinality(String),
    id String,
    dataset_id String,
    state LowCardinality(String),
    total UInt64,
    done UInt64,
    written UInt64,
    created DateTime64(3, 'UTC'),
    updated DateTime64(3, 'UTC'),
    version UInt64
)
ENGINE = {replacing}(version)
ORDER BY (project, id);

-- Rows of jobs in a fixed order. A job that nobody goes on with is forgotten after thirty days.
CREATE TABLE IF NOT EXISTS {database}.promote_job_rows {on_cluster}
(
    project LowCardinality(String),
    job_id String,
    number UInt64,
    id String,
    input String CODEC(ZSTD(1)),
    expected String CODEC(ZSTD(1)),
    metadata Map(LowCardinality(String), String),
    metadata_json Array(LowCardinality(String)),
    tags Array(LowCardinality(String)),
    origin String CODEC(ZSTD(1)),
    output String CODEC(ZSTD(1)),
    name String,
    type LowCardinality(String),
    error String,
    scores Map(LowCardinality(String), Float64),
    metrics Map(LowCardinality(String), Float64),
    trace_id String,
    span_id String,
    source_created DateTime64(9, 'UTC'),
    staged DateTime DEFAULT now()
)
ENGINE = {replacing}
ORDER BY (project, job_id, number)
TTL staged + INTERVAL 30 DAY;
