-- One row per alert: what it watches, and what it saw last.

SELECT
    rule.project AS project,
    rule.id AS name,
    JSONExtractString(rule.state, 'description') AS description,
    JSONExtractString(rule.state, 'sql') AS sql,
    JSONExtractString(rule.state, 'comparison') AS comparison,
    JSONExtractFloat(rule.state, 'threshold') AS threshold,
    JSONExtractFloat(rule.state, 'every_seconds') AS every_seconds,
    JSONExtractFloat(rule.state, 'window_seconds') AS window_seconds,
    JSONExtractFloat(rule.state, 'hold_off_seconds') AS hold_off_seconds,
    JSONExtractString(rule.state, 'target') AS target,
    JSONExtractBool(rule.state, 'is_paused') AS is_paused,
    multiIf(
        is_paused, 'paused',
        seen.state = '', 'waiting',
        error != '', 'failed',
        notEmpty(arrayFilter(group -> JSONExtractBool(group, 'is_firing'), all_groups)), 'firing',
        'ok'
    ) AS status,
    arrayFilter(group -> JSONExtractBool(group, 'is_firing'), all_groups) AS firing,
    JSONExtractString(seen.state, 'error') AS error,
    fromUnixTimestamp64Milli(toInt64(JSONExtractFloat(seen.state, 'evaluated') * 1000), 'UTC') AS evaluated,
    rule.version AS version,
    JSONExtractArrayRaw(seen.state, 'groups') AS all_groups
FROM
(
    SELECT *
    FROM {database}.changes
    WHERE kind = 'alert'
    ORDER BY version DESC
    LIMIT 1 BY project, id
) AS rule
LEFT JOIN
(
    SELECT *
    FROM {database}.webhook_events
    WHERE kind = 'evaluation'
    ORDER BY version DESC
    LIMIT 1 BY project, id
) AS seen
ON seen.project = rule.project AND seen.id = JSONExtractString(rule.state, 'uid')
WHERE rule.state != '{}'
