-- One row per test of a run; `trace_id` leads to its rows in `logs`, whose metadata has the test's id.

SELECT
    project,
    JSONExtractString(state, 'experiment') AS experiment,
    JSONExtractString(state, 'variant') AS variant,
    id AS run_id,
    JSONExtractString(test, 'id') AS test_id,
    JSONExtractString(test, 'task_id') AS task_id,
    JSONExtractString(test, 'status') AS status,
    JSONExtractString(test, 'reason') AS reason,
    JSONExtractString(test, 'trace_id') AS trace_id,
    JSONExtractRaw(state, 'overrides') AS overrides,
    fromUnixTimestamp64Milli(toInt64(JSONExtractFloat(test, 'sent') * 1000), 'UTC') AS sent
FROM
(
    SELECT *
    FROM {database}.variant_runs
    WHERE kind = 'run'
    ORDER BY version DESC
    LIMIT 1 BY project, id
)
ARRAY JOIN JSONExtractArrayRaw(state, 'tests') AS test
