-- Which collectors are there to hand out scoring tasks, and, term by term, which of them do: the same columns as
-- `changes`, since of two collectors that name the members of a term one wins.
CREATE TABLE IF NOT EXISTS {database}.scoring_collectors {on_cluster}
(
    collector String,
    seen DateTime64(3, 'UTC')
)
ENGINE = {replacing}(seen)
ORDER BY collector
TTL toDateTime(seen) + INTERVAL 1 DAY DELETE;

CREATE TABLE IF NOT EXISTS {database}.scoring_terms {on_cluster}
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
    state String
)
ENGINE = {replacing}
ORDER BY (kind, project, id, version)
TTL toDateTime(time) + INTERVAL 1 DAY DELETE
SETTINGS non_replicated_deduplication_window = 10000
