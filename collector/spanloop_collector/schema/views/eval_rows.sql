-- One row per span of an experiment, in the shape of `logs`; a case of the experiment is a row with `is_root`.

WITH (SELECT (groupArray(toString(id)), groupArray(name)) FROM {database}.experiment_versions FINAL) AS names
SELECT
    experiment_id,
    transform(toString(experiment_id), names.1, names.2, '') AS experiment,
    {row_columns}
FROM {database}.spans FINAL
WHERE experiment_id != ''
