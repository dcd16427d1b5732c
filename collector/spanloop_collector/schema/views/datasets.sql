-- One row per dataset that exists.

SELECT id, project, name, description, metadata, tags, input_schema, expected_schema, created
FROM {database}.dataset_registry FINAL
WHERE NOT is_deleted
