-- One row per change of a dataset.

SELECT
    project,
    dataset_id,
    version,
    fromUnixTimestamp64Nano(toInt64(version), 'UTC') AS created,
    operation,
    inserted,
    updated,
    deleted,
    key_id
FROM {database}.dataset_change_log FINAL
