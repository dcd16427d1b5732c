-- What became of the rows that each rule matched. `waiting` tasks are queued and not done; one task is one scorer's.

SELECT
    rules.project AS project,
    rules.name AS name,
    rules.enabled AS enabled,
    rules.failure AS failure,
    counts.matched AS matched,
    counts.sampled AS sampled,
    results.scored AS scored,
    results.skipped AS skipped,
    results.failed AS failed,
    greatest(toInt64(queue.tasks) - toInt64(done.tasks), 0) AS waiting,
    results.lag_p50 AS lag_p50,
    results.lag_p95 AS lag_p95,
    results.cost AS cost
FROM (SELECT *, lower(substring(hex(SHA256(concat(project, '\0', name))), 1, 16)) AS rule_id FROM {database}.scoring_rules) AS rules
LEFT JOIN
(
    SELECT rule_id, sum(matched) AS matched, sum(sampled) AS sampled
    FROM {database}.scoring_counts WHERE backfill = '' GROUP BY rule_id
) AS counts ON counts.rule_id = rules.rule_id
LEFT JOIN
(
    SELECT
        rule_id,
        uniqExactIf(task_id, status = 'scored') AS scored,
        uniqExactIf(task_id, status = 'skipped') AS skipped,
        uniqExactIf(task_id, status = 'failed') AS failed,
        quantileIf(0.5)(lag, run = '') AS lag_p50,
        quantileIf(0.95)(lag, run = '') AS lag_p95,
        sum(cost) AS cost
    FROM {database}.online_scores FINAL GROUP BY rule_id
) AS results ON results.rule_id = rules.rule_id
LEFT JOIN (SELECT rule_id, uniqExact(task_id) AS tasks FROM {database}.scoring_queue GROUP BY rule_id) AS queue
    ON queue.rule_id = rules.rule_id
LEFT JOIN (SELECT rule_id, uniqExact(task_id) AS tasks FROM {database}.scoring_done GROUP BY rule_id) AS done
    ON done.rule_id = rules.rule_id
