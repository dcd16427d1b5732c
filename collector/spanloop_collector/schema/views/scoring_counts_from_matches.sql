-- What each rule matched and sampled, minute by minute.

SELECT
    project,
    rule_id,
    backfill,
    toStartOfMinute(now('UTC')) AS minute,
    count() AS matched,
    countIf(is_sampled) AS sampled
FROM {database}.scoring_matches
GROUP BY project, rule_id, backfill
