-- One row per span, the newest version: production calls, as SQL users see them.

SELECT
    {row_columns}
FROM {database}.spans FINAL
WHERE experiment_id = ''
