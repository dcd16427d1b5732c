-- What became of the rows that each rule matched as they came; rows of backfills are counted apart and have no lag.
-- A row in a rule's sample is one task for each of its scorers: scored, skipped, failed and waiting count tasks.

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
    queue.waiting AS waiting,
    results.lag_p50 AS lag_p50,
    results.lag_p95 AS lag_p95,
    results.cost AS cost,
    results.backfilled AS backfilled,
    results.backfill_failed AS backfill_failed,
    queue.backfill_waiting AS backfill_waiting
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
        countIf(task.1 = '' AND task.2 = 'scored') AS scored,
        countIf(task.1 = '' AND task.2 = 'skipped') AS skipped,
        countIf(task.1 = '' AND task.2 = 'failed') AS failed,
        quantileOrNullIf(0.5)(task.3, task.1 = '') AS lag_p50,
        quantileOrNullIf(0.95)(task.3, task.1 = '') AS lag_p95,
        sum(task.4) AS cost,
        countIf(task.1 != '' AND task.2 != 'failed') AS backfilled,
        countIf(task.1 != '' AND task.2 = 'failed') AS backfill_failed
    FROM
    (
        -- A task that gave a score was scored, whatever else it said.
        SELECT rule_id, (any(backfill), min(status), any(lag), sum(cost)) AS task
        FROM {database}.online_scores FINAL
        GROUP BY rule_id, task_id
    )
    GROUP BY rule_id
) AS results ON results.rule_id = rules.rule_id
LEFT JOIN
(
    SELECT
        rule_id,
        uniqExactIf(task_id, backfill = '') AS waiting,
        uniqExactIf(task_id, backfill != '') AS backfill_waiting
    FROM {database}.scoring_queue
    WHERE task_id NOT IN (SELECT task_id FROM {database}.scoring_done)
    GROUP BY rule_id
) AS queue ON queue.rule_id = rules.rule_id
