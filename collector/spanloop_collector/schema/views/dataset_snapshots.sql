-- One row per snapshot: a name for a version of a dataset.

SELECT project, dataset_id, name, dataset_version AS version, description, created
FROM {database}.dataset_snapshot_log FINAL
WHERE NOT is_deleted
