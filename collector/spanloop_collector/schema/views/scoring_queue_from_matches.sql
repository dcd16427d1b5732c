-- One task per scorer for each row in the sample. Whatever concerns a trace lies in one slot, so that one collector
-- writes its scores.

SELECT
    now64(6, 'UTC') AS queued,
    lower(hex(sipHash128(project, rule_id, rule_version, scorer, trace_id, span_id, group_key, run))) AS task_id,
    toUInt8(sipHash64(project, trace_id, group_key) % 64) AS slot,
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
