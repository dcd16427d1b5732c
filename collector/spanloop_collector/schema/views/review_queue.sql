-- One row per item of a review queue, as it stands now. A claim that has run out is pending again.

SELECT
    id,
    project,
    JSONExtractString(state, 'queue') AS queue,
    if(
        JSONExtractString(state, 'status') = 'in_progress' AND claimed_until < now64(3),
        'pending',
        JSONExtractString(state, 'status')
    ) AS status,
    JSONExtractString(state, 'assignee') AS assignee,
    JSONExtractString(state, 'claimed_by') AS claimed_by,
    fromUnixTimestamp64Milli(toInt64(JSONExtractFloat(state, 'claimed_until') * 1000), 'UTC') AS claimed_until,
    JSONExtractString(state, 'source') AS source,
    JSONExtractString(state, 'object_id') AS object_id,
    JSONExtractString(state, 'row_id') AS row_id,
    JSONExtractString(state, 'trace_id') AS trace_id,
    JSONExtractString(state, 'reviewed_by') AS reviewed_by,
    JSONExtract(state, 'scores', 'Map(String, Float64)') AS scores,
    JSONExtractRaw(state, 'expected') AS expected,
    JSONExtractString(state, 'comment') AS comment,
    fromUnixTimestamp64Milli(toInt64(JSONExtractFloat(state, 'created') * 1000), 'UTC') AS created,
    time AS updated,
    version
FROM
(
    SELECT *
    FROM {database}.changes
    WHERE kind = 'review'
    ORDER BY version DESC
    LIMIT 1 BY project, id
)
