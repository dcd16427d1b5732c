-- One task per scorer for each row in the sample.

SELECT
    now64(6, 'UTC') AS queued,
    lower(hex(sipHash128(project, rule_id, rule_version, scorer, trace_id, span_id, group_key, run))) AS task_id,
    toUInt8(sipHash64(task_id) % 64) AS slot,
    project,
    rule_id,
    rule_version,
    scorer,
    trace_id,
    span_id,
    group_key,
    created,
    ended,
    probability,
    run,
    backfill
FROM {database}.scoring_matches
ARRAY JOIN scorers AS scorer
WHERE is_sampled
