-- OTLP requests to one row a span, every attribute with its code (attributes.txt) and its value as it came.
--
-- Two stages rather than one, with the table `otlp_spans` between them that keeps nothing: ClickHouse analyses a view
-- at every insert, which for one deep query takes longer than a thousand spans. The function arrayJoin passes on what
-- it unfolds, the clause ARRAY JOIN copies it.

SELECT
    * EXCEPT (attributes, otlp_events, otlp_links, maps),
    {field:attributes.key} AS keys,
    {field:attributes.value} AS values,
    {heads:values} AS heads,
    arrayMap(key -> {code_of_key:key}, {field:attributes.key}) AS codes,
    arrayMap((event, its) -> ({event_time}, {field:event.name}, its), otlp_events, arraySlice(maps, 1, length(otlp_events))) AS events,
    arrayMap(
        (link, its) -> (
            lower(hex({field:link.trace_id})), lower(hex({field:link.span_id})), {field:link.trace_state}, its
        ),
        otlp_links,
        arraySlice(maps, length(otlp_events) + 1)
    ) AS links
FROM
(
    SELECT
        {field:stamp.project} AS stamp_project,
        {field:stamp.default_project} AS default_project,
        {field:stamp.received_unix_nano} AS received_unix_nano,
        resource,
        {field:scope_spans.scope.name} AS scope_name,
        {field:scope_spans.scope.version} AS scope_version,
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
        arrayMap(of_one -> {map:of_one}, arrayConcat({field:span.events.attributes}, {field:span.links.attributes})) AS maps,
        {field:span.status.code} AS status_number,
        {field:span.status.message} AS status_message
    FROM
    (
        SELECT stamp, resource, scope_spans, arrayJoin({field:scope_spans.spans}) AS span
        FROM
        (
            SELECT
                {field:one_resource_spans.stamp} AS stamp,
                {map:one_resource_spans.resource.attributes} AS resource,
                arrayJoin({field:one_resource_spans.scope_spans}) AS scope_spans
            FROM (SELECT arrayJoin(resource_spans) AS one_resource_spans FROM {database}.otlp_traces)
        )
    )
)
