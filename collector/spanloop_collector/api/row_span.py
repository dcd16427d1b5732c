"""A row as the OTLP span that carries it into ClickHouse: the attributes of the SDK's own contract."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span, Status

from spanloop_collector.api.json_codec import write_json
from spanloop_collector.api.row import Json, StoredRow

SCOPE_NAME = "spanloop.api"

JSON_ATTRIBUTES = ("input", "output", "expected", "scores", "online_scores", "metrics", "tags", "origin")

# Keys of metadata that are columns too, and the attributes that fill those columns.
MODEL_ATTRIBUTES = {
    "model": "gen_ai.request.model",
    "gen_ai.response.model": "gen_ai.response.model",
    "provider": "gen_ai.provider.name",
}

_KINDS = {
    "internal": Span.SPAN_KIND_INTERNAL,
    "server": Span.SPAN_KIND_SERVER,
    "client": Span.SPAN_KIND_CLIENT,
    "producer": Span.SPAN_KIND_PRODUCER,
    "consumer": Span.SPAN_KIND_CONSUMER,
}
_STATUS_CODES = {"ok": Status.STATUS_CODE_OK, "error": Status.STATUS_CODE_ERROR}


def write_request(rows: Iterable[StoredRow]) -> bytes:
    """An ExportTraceServiceRequest with one span for each row."""
    return ExportTraceServiceRequest(resource_spans=[_resource_spans(row) for row in rows]).SerializeToString()


def _resource_spans(row: StoredRow) -> ResourceSpans:
    group = ResourceSpans()
    group.resource.attributes.extend(_texts(row.span.resource))
    scope_spans = group.scope_spans.add()
    scope_spans.scope.name = row.span.scope_name or SCOPE_NAME
    scope_spans.scope.version = row.span.scope_version
    scope_spans.spans.append(_span(row))
    return group


def _span(row: StoredRow) -> Span:
    facts = row.span
    span = Span(
        trace_id=bytes.fromhex(row.ids.trace_id),
        span_id=bytes.fromhex(row.ids.span_id),
        parent_span_id=bytes.fromhex(row.parent_id),
        name=row.name,
        trace_state=facts.trace_state,
        kind=_KINDS.get(facts.kind, Span.SPAN_KIND_INTERNAL),
        start_time_unix_nano=row.ids.start_unix_nano,
        end_time_unix_nano=row.end_unix_nano,
        attributes=_texts(_attributes(row)),
    )
    status_code = "error" if row.fields.get("error") else facts.status_code
    if status_code in _STATUS_CODES:
        span.status.code = _STATUS_CODES[status_code]
    for event in facts.events:
        span.events.add(time_unix_nano=event.time_unix_nano, name=event.name, attributes=_texts(event.attributes))
    for link in facts.links:
        span.links.add(
            trace_id=bytes.fromhex(link.trace_id),
            span_id=bytes.fromhex(link.span_id),
            trace_state=link.trace_state,
            attributes=_texts(link.attributes),
        )
    return span


def _attributes(row: StoredRow) -> dict[str, str]:
    attributes = {"spanloop.project": row.ids.project}
    if row.ids.id != row.ids.span_id:
        attributes["spanloop.id"] = row.ids.id
    if row.type:
        attributes["spanloop.type"] = row.type
    if row.experiment_id:
        attributes["spanloop.experiment_id"] = row.experiment_id
    if row.fields.get("error"):
        attributes["spanloop.error"] = row.fields["error"]
    fields = _scores_apart(row.fields)
    for name in JSON_ATTRIBUTES:
        if name in fields:
            attributes[f"spanloop.{name}"] = write_json(fields[name])
    return attributes | _metadata_attributes(row.fields.get("metadata") or {})


def _scores_apart(fields: Mapping[str, Json]) -> Mapping[str, Json]:
    """The fields with what rules gave apart, which stays theirs: another score of that name shows instead."""
    online, scores = fields.get("online_scores") or {}, fields.get("scores") or {}
    own = {name: score for name, score in scores.items() if online.get(name) != score}
    return {**fields, "scores": own} if online else fields


def _metadata_attributes(metadata: Mapping[str, Json]) -> dict[str, str]:
    own = {name: text for name in MODEL_ATTRIBUTES if isinstance(text := metadata.get(name), str)}
    rest = {name: value for name, value in metadata.items() if name not in own}
    attributes = {MODEL_ATTRIBUTES[name]: text for name, text in own.items()}
    return attributes | ({"spanloop.metadata": write_json(rest)} if rest else {})


def _texts(attributes: Mapping[str, str]) -> list[KeyValue]:
    return [KeyValue(key=key, value=AnyValue(string_value=value)) for key, value in attributes.items()]
