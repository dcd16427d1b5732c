-- The newest version of every rule, with its definition as JSON and what keeps it from working, if anything does.

SELECT
    project,
    id AS name,
    version,
    JSONExtractUInt(state, 'revision') AS revision,
    JSONExtractBool(state, 'enabled') AS enabled,
    JSONExtractString(state, 'description') AS description,
    JSONExtractFloat(state, 'sampling_rate') AS sampling_rate,
    JSONExtractString(state, 'filter') AS filter,
    JSONExtractString(state, 'scope', 'type') AS scope,
    arrayMap(scorer -> JSONExtractString(scorer, 'name'), JSONExtractArrayRaw(state, 'scorers')) AS scorers,
    state AS definition,
    time AS changed,
    actor AS changed_by,
    failure
FROM
(
    SELECT changes.*, failures.message AS failure
    FROM
    (
        SELECT project, id, version, time, actor, state, lower(substring(hex(SHA256(concat(project, '\0', id))), 1, 16)) AS rule_id
        FROM {database}.changes
        WHERE kind = 'scoring_rule'
        ORDER BY version DESC
        LIMIT 1 BY project, id
    ) AS changes
    LEFT JOIN (SELECT project, rule_id, message FROM {database}.scoring_failures FINAL) AS failures
        ON failures.rule_id = changes.rule_id AND failures.project = changes.project
)
WHERE state NOT IN ('', '{}')
