-- Spans of a support agent over two days, ten to a trace: {count} of them, numbered from {first}.
INSERT INTO {database}.spans (
    project, created, end_time, version, received, id, trace_id, span_id, parent_id, name, type, input, output, error,
    scores, metrics, model, provider, tokens, cost, metadata, tags, kind
)
SELECT
    'default',
    fromUnixTimestamp64Nano(toInt64({end_unix_nano} - {range_nano} + intDiv(n, 10) * {step_nano} + n % 10 * 80000000), 'UTC')
        AS start,
    start + toIntervalMillisecond(if(n % 10 = 0, 900, 20 + hash % 700)) AS stop,
    toUInt64(toUnixTimestamp64Nano(stop)) + 4611686018427387904,
    now64(6),
    own_id,
    lower(hex(cityHash64(intDiv(n, 10), 1))) || lower(hex(cityHash64(intDiv(n, 10), 2))),
    lower(hex(cityHash64(n, 3))) AS own_id,
    if(n % 10 = 0, '', lower(hex(cityHash64(n - n % 10, 3)))),
    ['answer', 'plan', 'retrieve', 'rerank', 'chat', 'lookup', 'chat', 'summarise', 'chat', 'format'][1 + n % 10],
    ['task', 'function', 'tool', 'function', 'llm', 'tool', 'llm', 'function', 'llm', 'function'][1 + n % 10] AS kind_of,
    concat('[{"role":"user","content":"', question, '"}]'),
    concat('[{"role":"assistant","content":"', answer, '"}]'),
    if(hash % 61 = 0, 'TimeoutError: the provider did not answer in 30 s', ''),
    if(n % 30 = 0, map('helpfulness', hash % 100 / 100), map()),
    mapUpdate(
        map('start', toFloat64(toUnixTimestamp(start)), 'end', toFloat64(toUnixTimestamp(stop))),
        -- A call without its cost would be priced, and so written, once more.
        if(kind_of = 'llm', map('cost', paid), map())
    ),
    if(kind_of = 'llm', ['gpt-4o', 'gpt-4o-mini', 'claude-sonnet-4-5'][1 + hash % 3], '') AS model_name,
    if(model_name = '', '', 'openai'),
    if(kind_of = 'llm', toFloat64(hash % 1200), 0),
    if(kind_of = 'llm', hash % 900 * 0.0000025, 0) AS paid,
    map('user_id', concat('user-', toString(hash % 5000)), 'session_id', concat('s', toString(intDiv(n, 70)))),
    if(hash % 17 = 0, ['vip'], []),
    'internal'
FROM (
    SELECT
        {first} + number AS n,
        cityHash64(n) AS hash,
        arrayStringConcat(arrayMap(i -> concat('word', toString(cityHash64(n, i) % 400)), range(30)), ' ') AS question,
        arrayStringConcat(arrayMap(i -> concat('word', toString(cityHash64(n, i, 9) % 400)), range(40)), ' ') AS answer
    FROM numbers({count})
)
SETTINGS materialize_skip_indexes_on_insert = 0, max_threads = 2
