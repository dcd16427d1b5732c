-- One row per score given to an experiment's row after the run; `id` is that of the row in `eval_rows`.

SELECT project, experiment_id, id, name, score, metadata, source, created
FROM {database}.experiment_score_versions FINAL
