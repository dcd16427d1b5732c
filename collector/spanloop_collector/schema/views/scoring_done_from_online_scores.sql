-- A task is done once its result is stored, whatever it is.

SELECT project, rule_id, task_id, max(scored) AS done
FROM {database}.online_scores
GROUP BY project, rule_id, task_id
