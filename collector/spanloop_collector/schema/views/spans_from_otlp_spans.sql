-- One row a span, from attributes by code to the fields of `spans`.
--
-- Read from the inside out: decode values, find them by code, gather the metrics, price the tokens, fill the row.
--
-- Four habits keep it fast. An expression that is used often is a column of a lower level: ClickHouse copies an alias
-- wherever it is named. Lambdas never capture a column where many rows pass: a captured array is copied once per
-- element. Values are fetched by position, `texts[indexOf(codes, …)]`, which is '' where the span has no such
-- attribute; what few spans need stands inside an `if`, whose branches run for those rows only. Inputs and outputs,
-- which are most of a span's bytes, are decoded last and only where they are used: every copy of them counts.

SELECT
    multiIf(
        stamp_project != '', stamp_project,
        given_project != '', given_project,
        resource['spanloop.project'] != '', resource['spanloop.project'],
        resource['openinference.project.name'] != '', resource['openinference.project.name'],
        default_project
    ) AS project,
    {time:start_unix_nano} AS created,
    {time:end_unix_nano} AS end_time,
    received_unix_nano + if(is_running, 0, 4611686018427387904) AS version,
    fromUnixTimestamp64Micro(toInt64(intDiv(received_unix_nano, 1000)), 'UTC') AS received,
    if(given_id != '', given_id, span_id) AS id,
    trace_id,
    span_id,
    parent_id,
    name,
    multiIf(
        given_type != '', given_type,
        operation != '', transform(operation, {operations}, {operation_types}, 'task'),
        openinference_kind != '', transform(lower(openinference_kind), {openinference_kinds}, {openinference_types}, 'task'),
        traceloop_kind != '', transform(traceloop_kind, {traceloop_kinds}, {traceloop_types}, 'task'),
        model != '', 'llm',
        span_attributes != '', JSONExtractString(span_attributes, 'type'),
        'span'
    ) AS type,
    multiIf(
        isValidJSON(input_text) AND input_may_be_json, input_text,
        input_text != '', toJSONString(input_text),
        input_at > 0, {json:texts[input_at]},
        scattered[1]
    ) AS input,
    multiIf(
        isValidJSON(output_text) AND output_may_be_json, output_text,
        output_text != '', toJSONString(output_text),
        output_at > 0, {json:texts[output_at]},
        scattered[2]
    ) AS output,
    multiIf(
        expected_at = 0, '',
        expected_text != '', {json:expected_text},
        {json:texts[expected_at]}
    ) AS expected,
    multiIf(
        given_error != '', given_error,
        status_number != 2, '',
        status_message != '', status_message,
        arrayExists(event -> event.2 = 'exception', events), {exception_text:events},
        'error'
    ) AS error,
    number_maps[2] AS scores,
    number_maps[3] AS online_scores,
    CAST(
        (
            arrayConcat(
                if(is_running, ['start'], ['start', 'end']),
                if(needs_sum, ['tokens'], []),
                if(isNull(new_cost), [], ['cost']),
                mapKeys(given)
            ),
            arrayConcat(
                if(is_running, [{seconds:start_unix_nano}], [{seconds:start_unix_nano}, {seconds:end_unix_nano}]),
                if(needs_sum, [given['prompt_tokens'] + given['completion_tokens']], []),
                if(isNull(new_cost), [], [assumeNotNull(new_cost)]),
                mapValues(given)
            )
        ),
        'Map(LowCardinality(String), Float64)'
    ) AS metrics,
    model,
    provider,
    if(needs_sum, given['prompt_tokens'] + given['completion_tokens'], given['tokens']) AS tokens,
    ifNull(new_cost, given['cost']) AS cost,
    CAST(
        (arrayConcat(metadata_keys, object_metadata.1), arrayConcat(metadata_texts, object_metadata.2)),
        'Map(LowCardinality(String), String)'
    ) AS metadata,
    arrayConcat(
        arrayFilter(
            (key, kind) -> kind IN ({json_kinds}), metadata_keys, metadata_kinds
        ),
        arrayFilter((key, is_json) -> is_json, object_metadata.1, object_metadata.3)
    ) AS metadata_json,
    multiIf(tags_text = '', [], isValidJSON(tags_text), JSONExtract(tags_text, 'Array(String)'), [tags_text]) AS tags,
    {string:origin} AS origin,
    {string:experiment_id} AS experiment_id,
    transform(kind_number, [1, 2, 3, 4, 5], ['internal', 'server', 'client', 'producer', 'consumer'], '') AS kind,
    transform(status_number, [1, 2], ['ok', 'error'], '') AS status_code,
    trace_state,
    scope_name,
    scope_version,
    resource,
    events,
    links
FROM
(
    SELECT
        *,
        NOT mapContains(given, 'tokens')
            AND (mapContains(given, 'prompt_tokens') OR mapContains(given, 'completion_tokens')) AS needs_sum,
        -- Conventions count cached and cache-writing tokens among the input tokens: each kind is priced once.
        if(
            empty(prices) OR mapContains(given, 'cost') OR NOT (needs_sum OR mapContains(given, 'tokens')),
            NULL,
            (
                greatest(
                    given['prompt_tokens'] - given['prompt_cached_tokens'] - given['prompt_cache_creation_tokens'], 0
                ) * prices[1]
                + given['prompt_cached_tokens'] * prices[2]
                + given['prompt_cache_creation_tokens'] * prices[3]
                + given['completion_tokens'] * prices[4]
            ) / 1e6
        ) AS new_cost
    FROM
    (
        SELECT
            *,
            {content:values[input_at]:heads[input_at]} AS input_text,
            {content:values[output_at]:heads[output_at]} AS output_text,
            {content:values[expected_at]:heads[expected_at]} AS expected_text,
            if(
                (input_at = 0 OR output_at = 0)
                    AND (notEmpty(events) OR has(codes, {code:flat_input}) OR has(codes, {code:flat_output})),
                {scattered_messages},
                ['', '']
            ) AS scattered,
            joinGet('{database}.model_prices', 'prices', concat(provider, '/', model)) AS prices,
            arrayConcat(
                if(empty(metadata_object), [], {object_pairs:metadata_object}),
                if(empty(parameters_object), [], {object_pairs:parameters_object})
            ) AS object_metadata,
            mapConcat(
                {number_map_of:metric_names:metric_numbers},
                number_maps[1]
            ) AS given
        FROM
        (
            SELECT
                *,
                end_unix_nano = 0 AS is_running,
                indexOf(codes, {first_of:input}) AS input_at,
                indexOf(codes, {first_of:output}) AS output_at,
                indexOf(codes, {first_of:expected}) AS expected_at,
                -- OpenInference says whether its `input.value` is JSON; a text that looks like JSON stays a text.
                codes[input_at] != {attribute_code:input.value}
                    OR {string:input_mime_type} = 'application/json' AS input_may_be_json,
                codes[output_at] != {attribute_code:output.value}
                    OR {string:output_mime_type} = 'application/json' AS output_may_be_json,
                {string:id} AS given_id,
                {string:type} AS given_type,
                {string:error} AS given_error,
                {string:project} AS given_project,
                {string:tags} AS tags_text,
                {string:operation} AS operation,
                {string:openinference_kind} AS openinference_kind,
                {string:traceloop_kind} AS traceloop_kind,
                {string:span_attributes} AS span_attributes,
                multiIf(
                    {string:model} != '', {string:model},
                    {string:response_model} != '', {string:response_model},
                    {string:metadata_object} != '', JSONExtractString({string:metadata_object}, 'model'),
                    ''
                ) AS model,
                multiIf(
                    {string:provider} != '', {string:provider},
                    {string:metadata_object} != '', JSONExtractString({string:metadata_object}, 'provider'),
                    ''
                ) AS provider,
                arrayMap(
                    object -> if(empty(object), map(), {number_map:object}),
                    [{string:metrics_object}, {string:scores_object}, {string:online_scores_object}]
                ) AS number_maps,
                {string:metadata_object} AS metadata_object,
                {string:parameters_object} AS parameters_object,
                arrayMap(
                    code -> transform(code, {metric_codes}, {metric_names}, ''),
                    arrayFilter(code -> {is_metric:code}, codes)
                ) AS metric_names,
                arrayMap(
                    text -> toFloat64OrNull(text), arrayFilter((text, code) -> {is_metric:code}, texts, codes)
                ) AS metric_numbers,
                arrayMap(
                    key -> {rename:key}, arrayFilter((key, code) -> code <= {last_kept_code}, keys, codes)
                ) AS metadata_keys,
                arrayFilter((kind, code) -> code <= {last_kept_code}, kinds, codes) AS metadata_kinds,
                arrayFilter((text, code) -> code <= {last_kept_code}, texts, codes) AS metadata_texts
            FROM
            (
                SELECT *, {texts_of_parts:kinds:strings:varints:values} AS texts
                FROM
                (
                    SELECT *, {kinds:heads} AS kinds, {varints:heads} AS varints, {strings:values:heads:codes} AS strings
                    FROM {database}.otlp_spans
                )
            )
        )
    )
)
