-- The newest version of each row of a dataset, deletions included. Not for users, who see `dataset_rows`.
-- Read in the table's own order, and what is asked of project, dataset and id reaches its keys.

SELECT *
FROM {database}.dataset_row_versions
ORDER BY project, dataset_id, id, version DESC
LIMIT 1 BY project, dataset_id, id
