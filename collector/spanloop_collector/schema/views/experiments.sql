-- One row per experiment; `finished` is null while rows may still come.

SELECT
    id,
    project,
    name,
    description,
    created,
    finished,
    base_id,
    dataset_id,
    dataset_version,
    metadata,
    tags,
    repo_info,
    commit,
    ancestors
FROM {database}.experiment_versions FINAL
