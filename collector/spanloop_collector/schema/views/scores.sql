-- One row per score: every entry of `scores` on every row of production, and every result of a rule, those that were
-- skipped or failed included. A score that a rule gave is here once, with what is known of it.

SELECT
    project,
    trace_id,
    span_id,
    id,
    entry.1 AS name,
    CAST(entry.2, 'Nullable(Float64)') AS score,
    span_name,
    created,
    'row' AS source,
    'scored' AS status,
    '' AS reason,
    '' AS metadata,
    '' AS rule,
    toUInt32(0) AS rule_version,
    '' AS scorer,
    '' AS scorer_version,
    toFloat64(1) AS probability,
    toFloat64(0) AS cost,
    toFloat64(0) AS duration,
    toUInt8(0) AS attempt,
    toFloat64(0) AS lag,
    CAST(created, 'DateTime64(6, \'UTC\')') AS scored
FROM
(
    SELECT
        project,
        trace_id,
        span_id,
        {row_id} AS id,
        name AS span_name,
        created,
        arrayJoin(CAST(
            mapFilter((key, value) -> NOT (mapContains(online_scores, key) AND online_scores[key] = value), scores),
            'Array(Tuple(String, Float64))'
        )) AS entry
    FROM {database}.spans FINAL
    WHERE experiment_id = ''
)

UNION ALL

SELECT
    project,
    trace_id,
    span_id,
    id,
    toString(name) AS name,
    score,
    span_name,
    created,
    'online' AS source,
    toString(status) AS status,
    reason,
    metadata,
    toString(rule) AS rule,
    rule_version,
    toString(scorer) AS scorer,
    toString(scorer_version) AS scorer_version,
    probability,
    cost,
    duration,
    attempt,
    lag,
    scored
FROM {database}.online_scores FINAL
WHERE status != 'replaced'
