-- What each rule matched and sampled, minute by minute.

SELECT
    project,
    rule_id,
    backfill,
    toStartOfMinute(now('UTC')) AS minute,
    sum(matches.matched) AS matched,
    sum(matches.sampled) AS sampled
FROM {database}.scoring_matches AS matches
GROUP BY project, rule_id, backfill
