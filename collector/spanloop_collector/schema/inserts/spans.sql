-- OTLP requests to rows of `spans`: unfold the spans, decode their values, find them by their code (attributes.txt),
-- gather the metrics, price the tokens, fill the row.
--
-- Six habits keep it fast. Spans are unfolded by the function arrayJoin: the clause ARRAY JOIN copies all it unfolds.
-- An expression that is used often is a column of an earlier stage: ClickHouse copies an alias wherever it is named.
-- Lambdas never capture a column where many rows pass: a captured array is copied once per
-- element. Values are fetched by position, `texts[indexOf(codes, …)]`, which is '' where the span has no such
-- attribute; what few spans need stands inside an `if`, whose branches run for those rows only. Inputs and outputs,
-- which are most of a span's bytes, are decoded last and only where they are used: every copy of them counts. No OR
-- or AND of comparisons with an earlier stage's column: ClickHouse hashes all stages below for each of them.

INSERT INTO {database}.spans
(
    project, created, end_time, version, received, id, trace_id, span_id, parent_id, name, type, input, output,
    expected, error, scores, online_scores, metrics, model, provider, tokens, cost, metadata, metadata_json,
    tags, origin, experiment_id, kind, status_code, trace_state, scope_name, scope_version, resource, events,
    links
)
{settings}
WITH
    by_resource AS
    (
        SELECT arrayJoin(resource_spans) AS one_resource_spans FROM {requests}
    ),
    by_scope AS
    (
        SELECT
            {field:one_resource_spans.stamp} AS stamp,
            {map:one_resource_spans.resource.attributes} AS resource,
            arrayJoin({field:one_resource_spans.scope_spans}) AS scope_spans
        FROM by_resource
    ),
    by_span AS
    (
        SELECT stamp, resource, {field:scope_spans.scope} AS scope, arrayJoin({field:scope_spans.spans}) AS span
        FROM by_scope
    ),
    as_sent AS
    (
        SELECT
            {field:stamp.project} AS stamp_project,
            {field:stamp.default_project} AS default_project,
            {field:stamp.received_unix_nano} AS received_unix_nano,
            resource,
            {field:scope.name} AS scope_name,
            {field:scope.version} AS scope_version,
            lower(hex({field:span.trace_id})) AS trace_id,
            lower(hex({field:span.span_id})) AS span_id,
            lower(hex({field:span.parent_span_id})) AS parent_id,
            {field:span.trace_state} AS trace_state,
            {field:span.name} AS name,
            {field:span.kind} AS kind_number,
            {field:span.start_time_unix_nano} AS start_unix_nano,
            {field:span.end_time_unix_nano} AS end_unix_nano,
            {field:span.attributes} AS attributes,
            {field:span.events} AS otlp_events,
            {field:span.links} AS otlp_links,
            -- Of the events, then of the links: in one expression, which costs half as much to analyse as two.
            arrayMap(
                of_one -> {map:of_one}, arrayConcat({field:span.events.attributes}, {field:span.links.attributes})
            ) AS maps,
            {field:span.status.code} AS status_number,
            {field:span.status.message} AS status_message
        FROM by_span
    ),
    coded AS
    (
        SELECT
            * EXCEPT (attributes, otlp_events, otlp_links, maps),
            {field:attributes.key} AS keys,
            {field:attributes.value} AS values,
            {heads:values} AS heads,
            arrayMap(key -> {code_of_key:key}, {field:attributes.key}) AS codes,
            arrayMap(
                (event, its) -> ({event_time}, {field:event.name}, its),
                otlp_events,
                arraySlice(maps, 1, length(otlp_events))
            ) AS events,
            arrayMap(
                (link, its) -> (
                    lower(hex({field:link.trace_id})), lower(hex({field:link.span_id})), {field:link.trace_state}, its
                ),
                otlp_links,
                arraySlice(maps, length(otlp_events) + 1)
            ) AS links
        FROM as_sent
    ),
    parted AS
    (
        SELECT *, {kinds:heads} AS kinds, {varints:heads} AS varints, {strings:values:heads:codes} AS strings
        FROM coded
    ),
    read AS
    (
        SELECT *, {texts_of_parts:heads:kinds:strings:varints:values} AS texts
        FROM parted
    ),
    found AS
    (
        SELECT
            *,
            end_unix_nano = 0 AS is_running,
            indexOf(codes, {first_of:input}) AS input_at,
            indexOf(codes, {first_of:output}) AS output_at,
            indexOf(codes, {first_of:expected}) AS expected_at,
            -- OpenInference says whether its `input.value` is JSON; a text that looks like JSON stays a text.
            if(
                codes[input_at] = {attribute_code:input.value}, {string:input_mime_type} = 'application/json', true
            ) AS input_may_be_json,
            if(
                codes[output_at] = {attribute_code:output.value}, {string:output_mime_type} = 'application/json', true
            ) AS output_may_be_json,
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
        FROM read
    ),
    gathered AS
    (
        SELECT
            *,
            {content:values[input_at]:heads[input_at]} AS input_text,
            {content:values[output_at]:heads[output_at]} AS output_text,
            {content:values[expected_at]:heads[expected_at]} AS expected_text,
            if(
                input_at * output_at = 0
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
        FROM found
    ),
    priced AS
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
        FROM gathered
    )
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
    if(given_id = span_id, '', given_id) AS id,
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
    if(
        isValidJSON(input_text) AND input_may_be_json,
        input_text,
        multiIf(input_text != '', toJSONString(input_text), input_at > 0, {json:texts[input_at]}, scattered[1])
    ) AS input,
    if(
        isValidJSON(output_text) AND output_may_be_json,
        output_text,
        multiIf(output_text != '', toJSONString(output_text), output_at > 0, {json:texts[output_at]}, scattered[2])
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
    -- The view adds what `tokens` and `cost` say; a cost of nothing is known only here.
    if(new_cost = 0, mapConcat(given, CAST(map('cost', 0), 'Map(LowCardinality(String), Float64)')), given) AS metrics,
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
FROM priced
