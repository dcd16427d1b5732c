-- OTLP log records to rows of `log_records`.

INSERT INTO {database}.log_records
(
    project, time, observed_time, received, trace_id, span_id, severity, severity_number, body, event_name, attributes,
    resource, scope_name, scope_version, content_hash
)
{settings}
WITH
    by_resource AS
    (
        SELECT arrayJoin(resource_logs) AS one_resource_logs FROM {requests}
    ),
    by_scope AS
    (
        SELECT
            {field:one_resource_logs.stamp} AS stamp,
            {map:one_resource_logs.resource.attributes} AS resource,
            arrayJoin({field:one_resource_logs.scope_logs}) AS scope_logs
        FROM by_resource
    ),
    by_record AS
    (
        SELECT stamp, resource, {field:scope_logs.scope} AS scope, arrayJoin({field:scope_logs.log_records}) AS record
        FROM by_scope
    ),
    as_sent AS
    (
        SELECT
            stamp,
            resource,
            scope,
            record,
            [record.body] AS bodies,
            -- A record without a time of its own happened when it was observed.
            if(record.time_unix_nano > 0, record.time_unix_nano, record.observed_time_unix_nano) AS record_time
        FROM by_record
    )
SELECT
    multiIf(
        stamp.project != '', stamp.project,
        resource['spanloop.project'] != '', resource['spanloop.project'],
        resource['openinference.project.name'] != '', resource['openinference.project.name'],
        stamp.default_project
    ) AS project,
    {time:record_time} AS time,
    {time:record.observed_time_unix_nano} AS observed_time,
    fromUnixTimestamp64Micro(toInt64(intDiv(stamp.received_unix_nano, 1000)), 'UTC') AS received,
    lower(hex(record.trace_id)) AS trace_id,
    lower(hex(record.span_id)) AS span_id,
    multiIf(
        record.severity_text != '', upper(record.severity_text),
        record.severity_number BETWEEN 1 AND 24,
            ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'][intDiv(record.severity_number - 1, 4) + 1],
        ''
    ) AS severity,
    toUInt8(greatest(0, least(record.severity_number, 255))) AS severity_number,
    arrayElement({texts:bodies}, 1) AS body,
    record.event_name AS event_name,
    {map:record.attributes} AS attributes,
    resource,
    scope.name AS scope_name,
    scope.version AS scope_version,
    cityHash64(body, severity, event_name, attributes) AS content_hash
FROM as_sent
