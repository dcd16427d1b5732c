-- One row per trace: its root span, and what all its spans add up to. A trace appears with its root.
--
-- The root is on the right, where ClickHouse begins: conditions, ORDER BY and LIMIT pick the roots first, then only the
-- spans of their traces are read, found by a number that stands for the trace.

SELECT
    root.trace_id AS trace_id,
    root.project AS project,
    root.id AS id,
    root.name AS name,
    root.input AS input,
    root.output AS output,
    root.metadata AS metadata,
    root.tags AS tags,
    root.error AS error,
    root.scores AS scores,
    root.created AS created,
    sums.last_end AS end_time,
    (toUnixTimestamp64Nano(sums.last_end) - toUnixTimestamp64Nano(root.created)) / 1e9 AS duration,
    sums.spans AS spans,
    sums.errors AS errors,
    sums.tokens AS tokens,
    sums.cost AS cost,
    sums.models AS models,
    sums.running = 0 AS is_complete
FROM
(
    SELECT
        project,
        trace_id,
        trace_hash,
        max(spans.end_time) AS last_end,
        count() AS spans,
        countIf(spans.error != '') AS errors,
        sumIf(spans.tokens, type = 'llm') AS tokens,
        sumIf(spans.cost, type = 'llm') AS cost,
        arraySort(groupUniqArrayIf(model, model != '')) AS models,
        countIf(toUnixTimestamp64Nano(spans.end_time) = 0) AS running
    FROM {database}.spans AS spans FINAL
    WHERE experiment_id = ''
    GROUP BY project, trace_id, trace_hash
) AS sums
RIGHT JOIN
(
    SELECT {row_columns}, trace_hash FROM {database}.spans FINAL WHERE experiment_id = '' AND is_root
) AS root
    ON root.trace_hash = sums.trace_hash AND root.trace_id = sums.trace_id AND root.project = sums.project
