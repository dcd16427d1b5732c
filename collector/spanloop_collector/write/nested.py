"""Nested OTLP values (arrays and maps) as JSON text, which is how ClickHouse gets them.

The door flags the few requests that carry any; the others pass as bytes. JSON text is written here rather than by
a JSON library because two of OTLP's values have no place in a Python dict: duplicate keys, and NaN as a value.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterable
from typing import Protocol

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from spanloop_collector.receive.wire import encode_varint

NESTED = ("array_value", "kvlist_value")
# Field 15, length-delimited: TAGS["json"] of schema/any_value.py.
JSON_VALUE_TAG = b"\x7a"

_quote = json.JSONEncoder(ensure_ascii=False).encode


class _HasAttributes(Protocol):
    @property
    def attributes(self) -> Iterable[KeyValue]: ...


def flatten_request(signal: str, payload: bytes | memoryview) -> bytes:
    """The request with every nested value replaced by its JSON text; unknown fields, the stamp too, stay."""
    if signal == "traces":
        return _flatten_traces(payload)
    return _flatten_logs(payload)


def json_text(value: AnyValue) -> str:
    """One value as JSON; bytes in base64, numbers that JSON lacks as strings."""
    kind = value.WhichOneof("value")
    if kind == "string_value":
        return _quote(value.string_value)
    if kind == "int_value":
        return str(value.int_value)
    if kind == "bool_value":
        return "true" if value.bool_value else "false"
    if kind == "double_value":
        number = value.double_value
        return repr(number) if math.isfinite(number) else _quote(str(number))
    if kind == "bytes_value":
        return _quote(base64.b64encode(value.bytes_value).decode())
    if kind == "array_value":
        return "[" + ",".join(json_text(item) for item in value.array_value.values) + "]"
    if kind == "kvlist_value":
        members = (f"{_quote(pair.key)}:{json_text(pair.value)}" for pair in value.kvlist_value.values)
        return "{" + ",".join(members) + "}"
    return "null"


def _flatten_traces(payload: bytes | memoryview) -> bytes:
    request = ExportTraceServiceRequest.FromString(bytes(payload))
    for resource_spans in request.resource_spans:
        _flatten_attributes(resource_spans.resource)
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                _flatten_attributes(span)
                for event in span.events:
                    _flatten_attributes(event)
                for link in span.links:
                    _flatten_attributes(link)
    return request.SerializeToString()


def _flatten_logs(payload: bytes | memoryview) -> bytes:
    request = ExportLogsServiceRequest.FromString(bytes(payload))
    for resource_logs in request.resource_logs:
        _flatten_attributes(resource_logs.resource)
        for scope_logs in resource_logs.scope_logs:
            for record in scope_logs.log_records:
                _flatten_attributes(record)
                _flatten_value(record.body)
    return request.SerializeToString()


def _flatten_attributes(holder: _HasAttributes) -> None:
    for pair in holder.attributes:
        _flatten_value(pair.value)


def _flatten_value(value: AnyValue) -> None:
    # Fields we do not know have no place in a row; the one that we write ourselves must not come from a sender.
    value.DiscardUnknownFields()
    if value.WhichOneof("value") not in NESTED:
        return
    text = json_text(value).encode()
    value.Clear()
    # The field is ours, so the generated class keeps it as an unknown one and writes it out again.
    value.MergeFromString(JSON_VALUE_TAG + encode_varint(len(text)) + text)
