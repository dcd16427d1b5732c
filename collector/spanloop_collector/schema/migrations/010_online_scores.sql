-- Scores that rules give online. `online_scores` on a row are the newest ones, beside the `scores` that came with it.
ALTER TABLE {database}.spans {on_cluster} ADD COLUMN IF NOT EXISTS online_scores Map(LowCardinality(String), Float64);

-- One row per row of production, rule, scorer and score: a re-run replaces. What was skipped or failed has no score.
CREATE TABLE IF NOT EXISTS {database}.online_scores {on_cluster}
(
    project LowCardinality(String),
    created DateTime64(9, 'UTC') CODEC(Delta, Default),
    trace_id String,
    span_id String,
    id String,
    span_name LowCardinality(String),
    rule_id LowCardinality(String),
    rule LowCardinality(String),
    rule_version UInt32,
    scorer LowCardinality(String),
    scorer_version LowCardinality(String),
    name LowCardinality(String),
    status Enum8('scored' = 1, 'skipped' = 2, 'failed' = 3),
    score Nullable(Float64),
    reason String,
    metadata String,
    probability Float64,
    cost Float64,
    duration Float64,
    attempt UInt8,
    lag Float64,
    scored DateTime64(6, 'UTC') CODEC(Delta, Default),
    task_id String,
    run LowCardinality(String),
    version UInt64
)
ENGINE = {replacing}(version)
PARTITION BY {week_of:created}
ORDER BY (project, created, trace_id, span_id, rule_id, scorer, name)
SETTINGS non_replicated_deduplication_window = 10000;

-- Which tasks need no worker any more: looked up, by ids that lie anywhere, for every task that is about to be handed
-- out.
CREATE TABLE IF NOT EXISTS {database}.scoring_done {on_cluster}
(
    project LowCardinality(String),
    rule_id LowCardinality(String),
    task_id String,
    done DateTime64(6, 'UTC')
)
ENGINE = {replacing}(done)
ORDER BY task_id
TTL toDateTime(done) + INTERVAL 31 DAY DELETE
SETTINGS non_replicated_deduplication_window = 10000, index_granularity = 256
