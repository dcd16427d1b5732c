-- One row per message that an alert or a variant sent or waits to send, as it stands now.

SELECT
    id,
    project,
    JSONExtractString(state, 'topic') AS topic,
    JSONExtractString(state, 'name') AS name,
    JSONExtractString(state, 'event') AS event,
    JSONExtractString(state, 'about') AS about,
    JSONExtractString(state, 'target') AS target,
    JSONExtractString(state, 'status') AS status,
    JSONExtractUInt(state, 'attempts') AS attempts,
    JSONExtractUInt(state, 'http_status') AS http_status,
    JSONExtractString(state, 'error') AS error,
    fromUnixTimestamp64Milli(toInt64(JSONExtractFloat(state, 'next_attempt') * 1000), 'UTC') AS next_attempt,
    JSONExtractString(state, 'body') AS body,
    fromUnixTimestamp64Milli(toInt64(JSONExtractFloat(state, 'created') * 1000), 'UTC') AS created,
    time AS updated
FROM
(
    SELECT *
    FROM {database}.webhook_events
    WHERE kind = 'delivery'
    ORDER BY version DESC
    LIMIT 1 BY project, id
)
