-- What a rule's sample says about all rows it matched, by day: each score counts 1 / probability rows, and the interval
-- around the mean holds the true one 19 times out of 20. Spans of a trace are sampled together, so the spread is
-- taken between traces. `low` and `high` are empty where one trace says nothing about the spread.

SELECT
    project,
    name,
    rule,
    day,
    rows,
    estimated_rows,
    mean,
    if(traces < 2, NULL, greatest(mean - 1.96 * standard_error, 0)) AS low,
    if(traces < 2, NULL, least(mean + 1.96 * standard_error, 1)) AS high,
    standard_error,
    traces
FROM
(
    SELECT
        project,
        name,
        rule,
        day,
        sum(scored) AS rows,
        sum(weight) AS estimated_rows,
        sum(weighted) / sum(weight) AS mean,
        sqrt(greatest(
            sum(weighted * weighted) - 2 * mean * sum(weighted * weight) + mean * mean * sum(weight * weight), 0
        ) * count() / greatest(count() - 1, 1)) / sum(weight) AS standard_error,
        count() AS traces
    FROM
    (
        SELECT
            project,
            name,
            rule,
            toDate(created) AS day,
            trace_id,
            count() AS scored,
            sum(1 / probability) AS weight,
            sum(assumeNotNull(score) / probability) AS weighted
        FROM {database}.scores
        WHERE status = 'scored' AND isNotNull(score)
        GROUP BY project, name, rule, day, trace_id
    )
    GROUP BY project, name, rule, day
)
