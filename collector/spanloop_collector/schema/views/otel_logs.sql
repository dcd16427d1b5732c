-- OTLP log records, each once; join to `logs` on trace_id and span_id.

SELECT
    project,
    time,
    observed_time,
    trace_id,
    span_id,
    severity,
    severity_number,
    body,
    event_name,
    attributes,
    resource,
    scope_name,
    scope_version,
    received
FROM {database}.log_records FINAL
