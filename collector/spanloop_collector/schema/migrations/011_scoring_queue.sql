-- Rows in the sample of a rule on their way into the queue, and beside them how many rows matched; keeps nothing.
CREATE TABLE IF NOT EXISTS {database}.scoring_matches {on_cluster}
(
    project LowCardinality(String),
    rule_id LowCardinality(String),
    rule_version UInt32,
    scorers Array(String),
    trace_id String,
    span_id String,
    group_key String,
    created DateTime64(9, 'UTC'),
    ended DateTime64(9, 'UTC'),
    probability Float64,
    is_sampled Bool,
    run String,
    backfill String,
    matched UInt64,
    sampled UInt64
)
ENGINE = Null;

-- One task per row, rule version and scorer, in order of arrival. `task_id` follows from these: a task that comes
-- twice is seen to be the same when it is handed out. `slot` says which collector hands it out.
CREATE TABLE IF NOT EXISTS {database}.scoring_queue {on_cluster}
(
    queued DateTime64(6, 'UTC') CODEC(Delta, Default),
    task_id String,
    slot UInt8,
    project LowCardinality(String),
    rule_id LowCardinality(String),
    rule_version UInt32,
    scorer LowCardinality(String),
    trace_id String,
    span_id String,
    group_key String,
    created DateTime64(9, 'UTC') CODEC(Delta, Default),
    ended DateTime64(9, 'UTC') CODEC(Delta, Default),
    probability Float64,
    run LowCardinality(String),
    backfill LowCardinality(String)
)
ENGINE = {merge_tree}
PARTITION BY toMonday(queued)
ORDER BY (queued, task_id)
TTL toDateTime(queued) + INTERVAL 30 DAY DELETE
SETTINGS non_replicated_deduplication_window = 10000;

-- How many rows each rule matched and sampled, by minute.
CREATE TABLE IF NOT EXISTS {database}.scoring_counts {on_cluster}
(
    project LowCardinality(String),
    rule_id LowCardinality(String),
    backfill LowCardinality(String),
    minute DateTime('UTC'),
    matched UInt64,
    sampled UInt64
)
ENGINE = {summing}((matched, sampled))
ORDER BY (project, rule_id, backfill, minute)
SETTINGS non_replicated_deduplication_window = 10000;

-- Whether a rule works: the newest message, empty when it does.
CREATE TABLE IF NOT EXISTS {database}.scoring_failures {on_cluster}
(
    project LowCardinality(String),
    rule_id LowCardinality(String),
    message String,
    time DateTime64(6, 'UTC')
)
ENGINE = {replacing}(time)
ORDER BY (project, rule_id)
