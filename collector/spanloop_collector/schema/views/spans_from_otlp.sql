-- OTLP to rows, for every span, inside ClickHouse.
--
-- Read from the inside out: unpack the nested arrays to one row a span; look each attribute's name up once
-- (`codes`, from attributes.txt); then fill the fields by code.
--
-- Three habits keep it fast. Lambdas never capture a column where many rows pass (a captured array is copied once
-- per element). Values are fetched by position, `strings[indexOf(codes, …)]`, which is '' where the span has no such
-- attribute. What few spans need stands inside an `if`, whose branches ClickHouse runs for those rows only.

WITH
    arrayMin(arrayMap(c -> if(c BETWEEN {code_first:input} AND {code_last:input}, c, 65535), codes)) AS input_code,
    arrayMin(arrayMap(c -> if(c BETWEEN {code_first:output} AND {code_last:output}, c, 65535), codes)) AS output_code,
    arrayMin(arrayMap(c -> if(c BETWEEN {code_first:expected} AND {code_last:expected}, c, 65535), codes)) AS expected_code,
    indexOf(codes, input_code) AS input_at,
    values[input_at] AS input_value,
    indexOf(codes, output_code) AS output_at,
    values[output_at] AS output_value,
    indexOf(codes, expected_code) AS expected_at,
    values[expected_at] AS expected_value,
    {value_text:input_value} AS input_text,
    {value_text:output_value} AS output_text,
    {value_text:expected_value} AS expected_text,
    -- OpenInference says whether its `input.value` is JSON; a text that merely looks like JSON stays a text.
    input_code != {attribute_code:input.value} OR {string:input_mime_type} = 'application/json' AS input_may_be_json,
    output_code != {attribute_code:output.value} OR {string:output_mime_type} = 'application/json' AS output_may_be_json,

    {string:operation} AS operation,
    {string:openinference_kind} AS openinference_kind,
    {string:traceloop_kind} AS traceloop_kind,
    {string:model} AS request_model,

    arrayFilter(code -> code BETWEEN {first_metric_code} AND {last_metric_code}, codes) AS metric_codes,
    arrayMap(
        value -> multiIf(
            value.value = 'int_value', toFloat64(value.int_value),
            value.value = 'double_value', value.double_value,
            toFloat64OrNull(value.string_value)
        ),
        arrayFilter((value, code) -> code BETWEEN {first_metric_code} AND {last_metric_code}, values, codes)
    ) AS attribute_metrics,
    if({string:metrics_object} = '', [], {object_numbers:metrics_object}) AS object_metrics,
    arrayConcat(attribute_metrics, object_metrics.2) AS given_metrics,
    arrayConcat(
        arrayMap(code -> transform(code, {metric_codes}, {metric_names}, ''), metric_codes),
        object_metrics.1
    ) AS given_metric_names,
    indexOf(given_metric_names, 'prompt_tokens') AS prompt_at,
    indexOf(given_metric_names, 'completion_tokens') AS completion_at,
    indexOf(given_metric_names, 'tokens') AS tokens_at,
    ifNull(given_metrics[prompt_at], 0) + ifNull(given_metrics[completion_at], 0) AS token_sum,
    -- Conventions count cached and cache-writing tokens among the input tokens: price each kind once.
    if(request_model != '', request_model, {string:response_model}) AS model,
    joinGet('{database}.model_prices', 'prices', concat({string:provider}, '/', model)) AS prices,
    ifNull(given_metrics[indexOf(given_metric_names, 'prompt_cached_tokens')], 0) AS cache_read_tokens,
    ifNull(given_metrics[indexOf(given_metric_names, 'prompt_cache_creation_tokens')], 0) AS cache_write_tokens,
    greatest(ifNull(given_metrics[prompt_at], 0) - cache_read_tokens - cache_write_tokens, 0) AS uncached_tokens,
    multiIf(
        has(given_metric_names, 'cost'), given_metrics[indexOf(given_metric_names, 'cost')],
        empty(prices) OR (prompt_at = 0 AND completion_at = 0), NULL,
        (
            uncached_tokens * prices[1] + cache_read_tokens * prices[2] + cache_write_tokens * prices[3]
            + ifNull(given_metrics[completion_at], 0) * prices[4]
        ) / 1e6
    ) AS known_cost,
    span.end_time_unix_nano = 0 AS is_running,
    arrayConcat(
        [toNullable(span.start_time_unix_nano / 1e9), if(is_running, NULL, span.end_time_unix_nano / 1e9)],
        [if(tokens_at > 0 OR (prompt_at = 0 AND completion_at = 0), NULL, token_sum)],
        [if(has(given_metric_names, 'cost'), NULL, known_cost)],
        given_metrics
    ) AS metric_values,
    arrayConcat(['start', 'end', 'tokens', 'cost'], given_metric_names) AS metric_names,

    if({string:metadata_object} = '', [], {object_pairs:metadata_object}) AS metadata_pairs,
    if({string:parameters_object} = '', [], {object_pairs:parameters_object}) AS parameter_pairs,
    arrayConcat(metadata_pairs, parameter_pairs) AS object_metadata,
    if({string:scores_object} = '', [], {object_numbers:scores_object}) AS score_pairs,
    values[indexOf(codes, {code:tags})] AS tags_value,

    -- The messages that older conventions put into events, and the one exception a failed span recorded.
    if(empty(span.events), '', {messages_of_events:input_event_names}) AS event_input,
    if(empty(span.events), '', {messages_of_events:output_event_names}) AS event_output,
    if(
        span.status.code = 2 AND span.status.message = '',
        arrayLast(event -> event.name = 'exception', span.events),
        defaultValueOfTypeName(toTypeName(span.events[1]))
    ) AS exception_event
SELECT
    multiIf(
        stamp.project != '', stamp.project,
        {string:project} != '', {string:project},
        resource['spanloop.project'] != '', resource['spanloop.project'],
        resource['openinference.project.name'] != '', resource['openinference.project.name'],
        stamp.default_project
    ) AS project,
    {time:span.start_time_unix_nano} AS created,
    {time:span.end_time_unix_nano} AS end_time,
    stamp.received_unix_nano + if(is_running, 0, 4611686018427387904) AS version,
    fromUnixTimestamp64Micro(toInt64(intDiv(stamp.received_unix_nano, 1000)), 'UTC') AS received,
    if({string:id} != '', {string:id}, span_id) AS id,
    lower(hex(span.trace_id)) AS trace_id,
    lower(hex(span.span_id)) AS span_id,
    lower(hex(span.parent_span_id)) AS parent_id,
    span.name AS name,
    multiIf(
        {string:type} != '', {string:type},
        operation != '', transform(operation, {operations}, {operation_types}, 'task'),
        openinference_kind != '', transform(lower(openinference_kind), {openinference_kinds}, {openinference_types}, 'task'),
        traceloop_kind != '', transform(traceloop_kind, {traceloop_kinds}, {traceloop_types}, 'task'),
        request_model != '', 'llm',
        {string:span_attributes} != '', JSONExtractString({string:span_attributes}, 'type'),
        'span'
    ) AS type,
    multiIf(
        input_may_be_json AND isValidJSON(input_text), input_text,
        input_at > 0, toJSONString(input_text),
        has(codes, {code:flat_input}), {flat_messages:flat_input},
        event_input
    ) AS input,
    multiIf(
        output_may_be_json AND isValidJSON(output_text), output_text,
        output_at > 0, toJSONString(output_text),
        has(codes, {code:flat_output}), {flat_messages:flat_output},
        event_output
    ) AS output,
    multiIf(expected_at = 0, '', isValidJSON(expected_text), expected_text, toJSONString(expected_text)) AS expected,
    multiIf(
        {string:error} != '', {string:error},
        span.status.code != 2, '',
        span.status.message != '', span.status.message,
        exception_event.name != '', {exception_text:exception_event},
        'error'
    ) AS error,
    if(empty(score_pairs), map(), {number_map:score_pairs}) AS scores,
    CAST(
        (
            arrayFilter((name, value) -> isNotNull(value), metric_names, metric_values),
            arrayFilter(value -> isNotNull(value), metric_values)
        ),
        'Map(LowCardinality(String), Float64)'
    ) AS metrics,
    model,
    {string:provider} AS provider,
    if(tokens_at > 0, ifNull(given_metrics[tokens_at], 0), token_sum) AS tokens,
    ifNull(known_cost, 0) AS cost,
    CAST(
        (
            arrayConcat(metadata_keys, object_metadata.1),
            arrayConcat(arrayMap(value -> {value_text:value}, metadata_values), object_metadata.2)
        ),
        'Map(LowCardinality(String), String)'
    ) AS metadata,
    arrayConcat(
        arrayFilter(
            (key, kind) -> kind IN ('int_value', 'double_value', 'bool_value', 'json_value'),
            metadata_keys, metadata_values.value
        ),
        arrayFilter((key, is_json) -> is_json, object_metadata.1, object_metadata.3)
    ) AS metadata_json,
    multiIf(
        NOT has(codes, {code:tags}), [],
        tags_value.value = 'string_value' AND NOT isValidJSON(tags_value.string_value), [tags_value.string_value],
        JSONExtract({value_text:tags_value}, 'Array(String)')
    ) AS tags,
    {string:origin} AS origin,
    transform(span.kind, [1, 2, 3, 4, 5], ['internal', 'server', 'client', 'producer', 'consumer'], '') AS kind,
    transform(span.status.code, [1, 2], ['ok', 'error'], '') AS status_code,
    span.trace_state AS trace_state,
    scope.name AS scope_name,
    scope.version AS scope_version,
    resource,
    arrayMap(event -> ({time:event.time_unix_nano}, event.name, {map:event.attributes}), span.events) AS events,
    arrayMap(link -> (lower(hex(link.trace_id)), lower(hex(link.span_id)), link.trace_state, {map:link.attributes}), span.links) AS links
FROM
(
    SELECT
        stamp,
        resource,
        scope,
        span,
        span.attributes.key AS keys,
        span.attributes.value AS values,
        span.attributes.value.string_value AS strings,
        arrayMap(key -> {code_of_key:key}, keys) AS codes,
        arrayMap(key -> {rename:key}, arrayFilter((key, code) -> code <= {last_kept_code}, keys, codes)) AS metadata_keys,
        arrayFilter((value, code) -> code <= {last_kept_code}, values, codes) AS metadata_values
    FROM
    (
        SELECT stamp, resource, scope_spans.scope AS scope, span
        FROM
        (
            SELECT
                resource_spans.stamp AS stamp,
                {map:resource_spans.resource.attributes} AS resource,
                resource_spans.scope_spans AS all_scope_spans
            FROM (SELECT resource_spans FROM {database}.otlp_traces ARRAY JOIN resource_spans)
        )
        ARRAY JOIN all_scope_spans AS scope_spans
        ARRAY JOIN scope_spans.spans AS span
    )
)
