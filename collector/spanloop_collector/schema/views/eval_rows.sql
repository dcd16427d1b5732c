-- One row per span of an experiment, in the shape of `logs`; a case of the experiment is a row with `is_root`.

SELECT
    experiment_id,
    {row_columns}
FROM {database}.spans FINAL
WHERE experiment_id != ''
