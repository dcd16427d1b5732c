"""Short ways to write OTLP spans in tests."""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping, Sequence
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from spanloop_collector.spool.record import delimited
from spanloop_collector.store import Store
from spanloop_collector.write.nested import flatten_request

START = 1_700_000_000_000_000_000
END = START + 1_500_000_000
STAMP_TAG = b"\xc2\xa9\x07"  # field 15000, length-delimited


def any_value(value: object) -> AnyValue:
    """An OTLP value of the matching kind; None stays empty."""
    match value:
        case None:
            return AnyValue()
        case bool():
            return AnyValue(bool_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case bytes():
            return AnyValue(bytes_value=value)
        case str():
            return AnyValue(string_value=value)
        case Mapping():
            nested = AnyValue()
            nested.kvlist_value.values.extend(key_values(value))
            return nested
        case Sequence():
            nested = AnyValue()
            nested.array_value.SetInParent()
            nested.array_value.values.extend(any_value(item) for item in value)
            return nested
    raise TypeError(f"no OTLP value for {value!r}")


def key_values(attributes: Mapping[str, Any]) -> list[KeyValue]:
    """Attributes in the order given."""
    return [KeyValue(key=key, value=any_value(value)) for key, value in attributes.items()]


def span(attributes: Mapping[str, Any] | None = None, **fields: Any) -> Span:
    """A finished root span with new ids, unless told otherwise."""
    given: dict[str, Any] = {
        "trace_id": os.urandom(16),
        "span_id": os.urandom(8),
        "name": "work",
        "start_time_unix_nano": START,
        "end_time_unix_nano": END,
    } | fields
    return Span(**given, attributes=key_values(attributes or {}))


def request(
    *spans: Span, resource: Mapping[str, Any] | None = None, project: str = "p", received: int = START
) -> bytes:
    """A stamped request, as the door hands it to the spool."""
    message = ExportTraceServiceRequest()
    resource_spans = message.resource_spans.add()
    resource_spans.resource.attributes.extend(key_values(resource or {}))
    scope_spans = resource_spans.scope_spans.add()
    scope_spans.scope.name = "tests"
    scope_spans.spans.extend(spans)
    stamp = b"\x11" + struct.pack("<Q", received) + b"\x1a" + bytes([len(project)]) + project.encode()
    resource_spans.MergeFromString(STAMP_TAG + bytes([len(stamp)]) + stamp)
    return message.SerializeToString()


def store_spans(store: Store, *spans: Span, **options: Any) -> None:
    """Inserts these spans as the writer would."""
    payload = flatten_request("traces", request(*spans, **options))
    store.insert_otlp("traces", delimited(payload), token=os.urandom(8).hex())


def stored(store: Store, *spans: Span, **options: Any) -> dict[str, Any]:
    """The one row that these spans make in `logs`, after a round through ClickHouse."""
    store_spans(store, *spans, **options)
    (row,) = store.query(f"SELECT * FROM {store.database}.logs").named_results()
    return dict(row)
