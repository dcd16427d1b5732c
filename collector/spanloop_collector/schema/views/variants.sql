-- One row per variant of an experiment, the baseline among them: its one change, and what its newest run came to.

SELECT
    project,
    id AS experiment,
    JSONExtractString(state, 'status') AS experiment_status,
    variant.1 AS name,
    JSONExtractString(variant.2, 'parent') AS parent,
    JSONExtractString(variant.2, 'step') AS step,
    JSONExtractString(variant.2, 'parameter') AS parameter,
    JSONExtractRaw(variant.2, 'value') AS value,
    JSONExtractString(variant.2, 'run_id') AS run_id,
    JSONExtractUInt(variant.2, 'outcome', 'total') AS total,
    JSONExtractUInt(variant.2, 'outcome', 'passed') AS passed,
    JSONExtractUInt(variant.2, 'outcome', 'failed') AS failed,
    if(total > 0, 100 * passed / total, NULL) AS pass_rate,
    JSONExtractUInt(state, 'variants', 'baseline', 'outcome', 'passed') AS baseline_passed,
    if(
        total > 0 AND baseline_passed > 0 AND name != 'baseline',
        100 * (passed / total - baseline_passed / baseline_total) / (baseline_passed / baseline_total),
        NULL
    ) AS against_baseline,
    if(
        total > 0,
        fromUnixTimestamp64Milli(toInt64(JSONExtractFloat(variant.2, 'outcome', 'completed') * 1000), 'UTC'),
        NULL
    ) AS completed,
    JSONExtractUInt(state, 'variants', 'baseline', 'outcome', 'total') AS baseline_total
FROM
(
    SELECT *
    FROM {database}.changes
    WHERE kind = 'variants'
    ORDER BY version DESC
    LIMIT 1 BY project, id
)
ARRAY JOIN JSONExtractKeysAndValuesRaw(state, 'variants') AS variant
