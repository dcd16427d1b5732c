"""Nested values become JSON text; everything else passes unchanged."""

from __future__ import annotations

import math
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from spanloop_collector.receive.check import check
from spanloop_collector.receive.shape import SPANS
from spanloop_collector.spool.record import RecordFlags
from spanloop_collector.write.nested import JSON_VALUE_TAG, flatten_request, json_text

from tests.collector.schema.spans import STAMP_TAG, any_value, request, span


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ([], "[]"),
        ({}, "{}"),
        ([None, True, 2**63 - 1, -0.5, 'a"b\n🍀'], '[null,true,9223372036854775807,-0.5,"a\\"b\\n🍀"]'),
        ([math.nan, math.inf, b"\xff"], '["nan","inf","/w=="]'),
        ({"a": {"b": [{"c": 1}]}}, '{"a":{"b":[{"c":1}]}}'),
    ],
)
def test_json_text(value: Any, text: str) -> None:
    assert json_text(any_value(value)) == text


def test_a_request_without_nested_values_passes_unchanged() -> None:
    payload = request(span({"a": 1, "b": "x"}), resource={"r": True})

    assert flatten_request("traces", payload) == payload


def test_every_place_of_a_trace_is_flattened_and_the_stamp_stays() -> None:
    deep = span({"attribute": [1]})
    deep.events.add(name="e").attributes.add(key="event").value.CopyFrom(any_value([2]))
    deep.links.add().attributes.add(key="link").value.CopyFrom(any_value([3]))

    flat = flatten_request("traces", request(deep, resource={"resource": {"k": 4}}))

    for text in (b"[1]", b"[2]", b"[3]", b'{"k":4}'):
        assert JSON_VALUE_TAG + bytes([len(text)]) + text in flat
    assert STAMP_TAG in flat
    (resource_spans,) = ExportTraceServiceRequest.FromString(flat).resource_spans
    assert len(resource_spans.scope_spans[0].spans) == 1


def test_a_log_body_is_flattened() -> None:
    logs = ExportLogsServiceRequest()
    record = logs.resource_logs.add().scope_logs.add().log_records.add()
    record.body.CopyFrom(any_value({"message": "hi"}))

    assert b'{"message":"hi"}' in flatten_request("logs", logs.SerializeToString())


@pytest.mark.parametrize("content", [b"", b"1", b"[1]", b'{"a": 1}', b"\x08\x01", b"\x22\x00"])
def test_a_sender_cannot_write_the_json_text_itself(content: bytes) -> None:
    forged = span()
    forged.attributes.add(key="input.value").value.MergeFromString(JSON_VALUE_TAG + bytes([len(content)]) + content)
    sent = ExportTraceServiceRequest()
    sent.resource_spans.add().scope_spans.add().spans.extend([span(name="good"), forged])

    checked = check(sent.SerializeToString(), SPANS)

    if not checked.rejected:
        assert checked.flags == RecordFlags.HAS_NESTED
        assert JSON_VALUE_TAG not in flatten_request("traces", checked.payload).partition(b"input.value")[2]
