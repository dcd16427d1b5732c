-- One row per dataset row, its newest version; `origin` says where it was copied from.

SELECT
    id,
    project,
    dataset,
    input,
    expected,
    metadata,
    tags,
    created,
    origin,
    version,
    fromUnixTimestamp64Nano(toInt64(version), 'UTC') AS changed,
    dataset_id,
    metadata_json
FROM
(
    SELECT rows.*, registry.name AS dataset
    FROM (SELECT * FROM {database}.newest_dataset_rows WHERE NOT is_deleted) AS rows
    INNER JOIN (SELECT id, name FROM {database}.dataset_registry FINAL WHERE NOT is_deleted) AS registry
        ON registry.id = rows.dataset_id
)
