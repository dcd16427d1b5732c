-- Every version of every experiment; the newest one counts, as the view `experiments` shows it.
CREATE TABLE IF NOT EXISTS {database}.experiment_versions {on_cluster}
(
    project LowCardinality(String),
    id String,
    name String,
    description String,
    created DateTime64(6, 'UTC'),
    finished Nullable(DateTime64(6, 'UTC')),
    base_id String,
    dataset_id String,
    dataset_version String,
    metadata String,
    tags Array(String),
    repo_info String,
    commit String,
    ancestors Array(String),
    version UInt64
)
ENGINE = {replacing}(version)
ORDER BY (project, id)
SETTINGS non_replicated_deduplication_window = 10000;

-- Scores that were given to an experiment's rows after the run: kept apart from what the run itself said.
CREATE TABLE IF NOT EXISTS {database}.experiment_score_versions {on_cluster}
(
    project LowCardinality(String),
    experiment_id String,
    id String,
    name LowCardinality(String),
    score Nullable(Float64),
    metadata String,
    source LowCardinality(String),
    created DateTime64(6, 'UTC'),
    version UInt64
)
ENGINE = {replacing}(version)
ORDER BY (project, experiment_id, id, name)
SETTINGS non_replicated_deduplication_window = 1000;
