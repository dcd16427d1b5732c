-- One row per trace: its root span's fields, and what all its spans add up to.

SELECT
    trace_id,
    project,
    anyIf(id, is_root) AS id,
    anyIf(name, is_root) AS name,
    anyIf(input, is_root) AS input,
    anyIf(output, is_root) AS output,
    anyIf(metadata, is_root) AS metadata,
    anyIf(tags, is_root) AS tags,
    anyIf(error, is_root) AS error,
    anyIf(scores, is_root) AS scores,
    min(logs.created) AS created,
    max(logs.end_time) AS end_time,
    (toUnixTimestamp64Nano(max(logs.end_time)) - toUnixTimestamp64Nano(min(logs.created))) / 1e9 AS duration,
    count() AS spans,
    countIf(logs.error != '') AS errors,
    sumIf(logs.tokens, type = 'llm') AS tokens,
    sumIf(logs.cost, type = 'llm') AS cost,
    arraySort(groupUniqArrayIf(model, model != '')) AS models,
    countIf(NOT mapContains(metrics, 'end')) = 0 AS is_complete
FROM {database}.logs AS logs
GROUP BY project, trace_id
