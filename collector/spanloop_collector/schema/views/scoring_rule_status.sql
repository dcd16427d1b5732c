-- What became of the rows that each rule matched as they came; rows of backfills are counted apart and have no lag.
-- Ids of tasks are compared as the numbers that they are: as texts they would take several times the memory.
-- A trace or a group counts as matched each time that something of it comes.
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
        countIf(NOT is_backfill AND status = 'scored') AS scored,
        countIf(NOT is_backfill AND status = 'skipped') AS skipped,
        countIf(NOT is_backfill AND status = 'failed') AS failed,
        quantileOrNullIf(0.5)(lag, NOT is_backfill) AS lag_p50,
        quantileOrNullIf(0.95)(lag, NOT is_backfill) AS lag_p95,
        sum(cost) AS cost,
        countIf(is_backfill AND status != 'failed') AS backfilled,
        countIf(is_backfill AND status = 'failed') AS backfill_failed
    FROM
    (
        -- A task that gave a score was scored, whatever else it said.
        SELECT
            rule_id,
            any(online_scores.backfill != '') AS is_backfill,
            min(online_scores.status) AS status,
            any(online_scores.lag) AS lag,
            sum(online_scores.cost) AS cost
        FROM {database}.online_scores FINAL
        GROUP BY rule_id, reinterpretAsUInt128(unhex(task_id))
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
    WHERE reinterpretAsUInt128(unhex(task_id)) NOT IN (
        SELECT reinterpretAsUInt128(unhex(task_id)) FROM {database}.scoring_done
    )
    GROUP BY rule_id
) AS queue ON queue.rule_id = rules.rule_id
