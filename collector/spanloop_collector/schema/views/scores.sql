-- One row per score: every entry of `scores` on every row.

SELECT project, trace_id, span_id, id, entry.1 AS name, entry.2 AS score, span_name, created
FROM
(
    SELECT project, trace_id, span_id, id, name AS span_name, created, arrayJoin(CAST(scores, 'Array(Tuple(String, Float64))')) AS entry
    FROM {database}.logs
)
