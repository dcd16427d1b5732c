-- One row per copy: from a log row, eval row or dataset row to the dataset row or eval row made of it.

SELECT
    project,
    JSONExtractString(origin, 'object_type') AS from_type,
    JSONExtractString(origin, 'object_id') AS from_object_id,
    from_id,
    if(JSONHas(origin, '_xact_id'), JSONExtractString(origin, '_xact_id'), JSONExtractString(origin, 'version'))
        AS from_version,
    to_type,
    to_object_id,
    to_id,
    to_version,
    created
FROM
(
    SELECT
        project,
        origin,
        origin_id AS from_id,
        'dataset' AS to_type,
        toString(dataset_id) AS to_object_id,
        id AS to_id,
        toString(version) AS to_version,
        created
    FROM
    (
        -- By origin too, so that a condition on `from_id` reaches its index.
        SELECT * FROM {database}.dataset_row_versions
        ORDER BY project, dataset_id, id, version DESC
        LIMIT 1 BY project, dataset_id, id, origin_id
    )
    WHERE NOT is_deleted AND origin != ''
    UNION ALL
    SELECT
        project,
        origin,
        JSONExtractString(origin, 'id') AS from_id,
        'experiment' AS to_type,
        toString(experiment_id) AS to_object_id,
        {row_id} AS to_id,
        '' AS to_version,
        created
    FROM {database}.spans FINAL
    WHERE experiment_id != '' AND origin != ''
)
