"""The check at the door: what passes, what is cut out, what is refused, and what the sender is told."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from spanloop_collector.errors import InvalidRequestError, TooLargeError
from spanloop_collector.receive.check import MAX_MESSAGES, Checked, check
from spanloop_collector.receive.shape import LOG_RECORDS, SPANS
from spanloop_collector.receive.wire import encode_varint
from spanloop_collector.spool import RecordFlags

from tests.collector.receive.otlp import START, broken_text, log_request, nested, span, trace_request, with_attribute

PATH = "resource_spans[0].scope_spans[0].spans"


def check_spans(*spans: Span) -> Checked:
    return check(trace_request(*spans).SerializeToString(), SPANS)


def names(checked: Checked) -> list[str]:
    request = ExportTraceServiceRequest.FromString(checked.payload)
    return [s.name for r in request.resource_spans for c in r.scope_spans for s in c.spans]


def delimited(number: int, content: bytes) -> bytes:
    return encode_varint(number << 3 | 2) + encode_varint(len(content)) + content


def test_good_request_passes_unchanged() -> None:
    payload = trace_request(span(1), span(2, parent_span_id=b"12345678"), span(3)).SerializeToString()
    assert check(payload, SPANS) == Checked(payload, item_count=3, flags=RecordFlags.NONE)


@pytest.mark.parametrize("payload", [b"", trace_request().SerializeToString()])
def test_empty_request_passes(payload: bytes) -> None:
    assert check(payload, SPANS) == Checked(payload, item_count=0, flags=RecordFlags.NONE)


def test_unknown_fields_pass_on_every_level() -> None:
    unknown = delimited(900, b"from the future") + encode_varint(901 << 3) + b"\x05"
    item = span(1).SerializeToString() + unknown
    scope = delimited(2, item) + unknown
    resource = delimited(2, scope) + unknown
    payload = delimited(1, resource) + unknown
    assert check(payload, SPANS) == Checked(payload, item_count=1, flags=RecordFlags.NONE)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"trace_id": b"abc"}, "trace_id is 3 bytes (616263); expected 16 bytes"),
        ({"trace_id": b""}, "trace_id is empty; expected 16 bytes"),
        ({"trace_id": bytes(16)}, "trace_id is 16 zero bytes; expected a random id"),
        ({"trace_id": b"x" * 32}, f"trace_id is 32 bytes ({'78' * 20}…); expected 16 bytes"),
        ({"span_id": b"1234567"}, "span_id is 7 bytes (31323334353637); expected 8 bytes"),
        ({"span_id": bytes(8)}, "span_id is 8 zero bytes; expected a random id"),
        ({"parent_span_id": b"p"}, "parent_span_id is 1 bytes (70); expected 8 bytes"),
        ({"start_time_unix_nano": 0}, "start_time_unix_nano is 0; expected nanoseconds since 1970"),
    ],
)
def test_bad_span_is_cut_out_and_its_field_named(fields: dict[str, object], reason: str) -> None:
    checked = check_spans(span(1), span(2, **fields), span(3))
    assert names(checked) == ["span 1", "span 3"]
    assert (checked.item_count, checked.rejected) == (2, 1)
    assert checked.reason == f"{PATH}[1].{reason}"


@pytest.mark.parametrize(
    "fields",
    [
        {"end_time_unix_nano": START - 1},
        {"end_time_unix_nano": 0},
        {"start_time_unix_nano": 1},
        {"start_time_unix_nano": 2**64 - 1, "end_time_unix_nano": 2**64 - 1},
        {"parent_span_id": bytes(8)},
        {"name": "NUL \0 inside", "trace_state": "not=checked,,"},
    ],
)
def test_odd_spans_pass(fields: dict[str, object]) -> None:
    checked = check_spans(span(1, **fields))
    assert (checked.item_count, checked.rejected) == (1, 0)


def test_first_reason_and_all_rejections_are_kept() -> None:
    checked = check_spans(span(1, span_id=b"x"), span(2), span(3, trace_id=b"y"))
    assert checked.rejected == 2
    assert checked.reason == f"{PATH}[0].span_id is 1 bytes (78); expected 8 bytes"


def test_request_without_a_good_span_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match=r"spans\[0\]\.trace_id is empty; expected 16 bytes") as raised:
        check_spans(span(1, trace_id=b""), span(2, span_id=b""))
    assert raised.value.field == f"{PATH}[0].trace_id"


def test_cutting_keeps_everything_else_byte_for_byte() -> None:
    good = trace_request(span(1), span(3))
    good.resource_spans[0].schema_url = "https://example.com/schema"
    bad = ExportTraceServiceRequest.FromString(good.SerializeToString())
    bad.resource_spans[0].scope_spans[0].spans.insert(1, span(2, span_id=b"x"))
    other = trace_request(span(4)).resource_spans[0]
    good.resource_spans.append(other)
    bad.resource_spans.append(other)
    checked = check(bad.SerializeToString(), SPANS)
    assert ExportTraceServiceRequest.FromString(checked.payload) == good


def test_text_that_is_not_utf8_costs_its_span_and_is_located() -> None:
    request = trace_request(span(1), with_attribute(span(2), AnyValue(string_value="broken")), span(3))
    checked = check(broken_text(request, "broken"), SPANS)
    assert names(checked) == ["span 1", "span 3"]
    assert checked.reason.startswith(f"{PATH}[1].attributes[0].value.string_value is not UTF-8 at byte 0: b'\\xff")


def test_resource_that_is_not_utf8_costs_its_spans_alone() -> None:
    request = trace_request(span(1), span(2))
    request.resource_spans.append(trace_request(span(3)).resource_spans[0])
    request.resource_spans[0].resource.attributes[0].value.string_value = "broken"
    checked = check(broken_text(request, "broken"), SPANS)
    assert names(checked) == ["span 3"]
    assert checked.rejected == 2
    assert checked.reason.startswith("resource_spans[0].resource.attributes[0].value.string_value is not UTF-8")


def test_scope_that_is_not_utf8_costs_its_spans_alone() -> None:
    request = trace_request(span(1))
    request.resource_spans[0].scope_spans.add().spans.append(span(2))
    checked = check(broken_text(request, "tests"), SPANS)
    assert names(checked) == ["span 2"]
    assert checked.reason.startswith("resource_spans[0].scope_spans[0].scope.name is not UTF-8")


@pytest.mark.parametrize(
    "value",
    [
        AnyValue(array_value=ArrayValue(values=[AnyValue(string_value="a")])),
        AnyValue(array_value=ArrayValue()),
        AnyValue(kvlist_value=KeyValueList(values=[KeyValue(key="k", value=AnyValue(int_value=1))])),
        nested(40),
    ],
)
@pytest.mark.parametrize("place", ["span", "event", "link", "resource", "scope"])
def test_nested_value_anywhere_is_flagged(value: AnyValue, place: str) -> None:
    request = trace_request(span(1), span(2))
    resource = request.resource_spans[0]
    last = resource.scope_spans[0].spans[1]
    owners: dict[str, Any] = {
        "span": last,
        "event": last.events.add(),
        "link": last.links.add(),
        "resource": resource.resource,
        "scope": resource.scope_spans[0].scope,
    }
    owner = owners[place]
    owner.attributes.add(key="nested", value=value)
    # A plain value behind it must not hide it.
    owner.attributes.add(key="plain", value=AnyValue(string_value="x"))
    assert check(request.SerializeToString(), SPANS).flags == RecordFlags.HAS_NESTED


@pytest.mark.parametrize(
    "value",
    [AnyValue(), AnyValue(string_value=""), AnyValue(bytes_value=b"\xff\x00"), AnyValue(int_value=-(2**63))],
)
def test_plain_values_are_not_flagged(value: AnyValue) -> None:
    checked = check_spans(with_attribute(span(1), value))
    assert checked.flags == RecordFlags.NONE


def deep_request(depth: int) -> bytes:
    """A good span and one whose attribute lies that many arrays deep, which the generated classes cannot build."""
    value = delimited(1, b"innermost")
    for _ in range(depth):
        value = delimited(5, delimited(1, value))
    deep = span(2).SerializeToString() + delimited(9, delimited(1, b"key") + delimited(2, value))
    scope = delimited(2, span(1).SerializeToString()) + delimited(2, deep)
    return delimited(1, delimited(2, scope))


@pytest.mark.parametrize("depth", [60, 5000])
def test_nested_deeper_than_protobuf_reads_is_refused_with_its_span(depth: int) -> None:
    checked = check(deep_request(depth), SPANS)
    assert names(checked) == ["span 1"]
    assert checked.reason == f"{PATH}[1] is nested deeper than the 100 messages that protobuf allows"


def test_what_passes_can_be_read_by_the_ordinary_classes() -> None:
    deepest = max(depth for depth in range(60) if not check(deep_request(depth), SPANS).rejected)
    assert deepest > 40
    assert ExportTraceServiceRequest.FromString(check(deep_request(deepest), SPANS).payload)


@pytest.mark.parametrize(
    "payload",
    [
        b"garbage",
        b"\x0a\x05ab",
        b"\x0a",
        b"\xff" * 20,
        trace_request(span(1)).SerializeToString()[:-1],
        delimited(1, b"\x12\x7f"),
        b"\x0b",
    ],
)
def test_malformed_request_is_refused_by_name(payload: bytes) -> None:
    with pytest.raises(InvalidRequestError, match=r"not a valid .*ExportTraceServiceRequest") as raised:
        check(payload, SPANS)
    assert raised.value.field.startswith("resource_spans")


def test_malformed_span_costs_nothing_else() -> None:
    scope = (
        delimited(2, span(1).SerializeToString())
        + delimited(2, b"\x0a\x7f")
        + delimited(2, span(3).SerializeToString())
    )
    checked = check(delimited(1, delimited(2, scope)), SPANS)
    assert names(checked) == ["span 1", "span 3"]
    assert checked.reason == f"{PATH}[1] is not valid protobuf: wire format was corrupt"


@pytest.mark.parametrize("content", [b"\x0a\x05other", b"", b"\xff"])
def test_sender_cannot_stamp_its_own_project(content: bytes) -> None:
    resource = trace_request(span(1)).resource_spans[0].SerializeToString() + delimited(15000, content)
    with pytest.raises(InvalidRequestError, match=r"resource_spans\[0\]"):
        check(delimited(1, resource), SPANS)


def test_stamped_resource_does_not_cost_the_others() -> None:
    resource = trace_request(span(1)).resource_spans[0].SerializeToString() + delimited(15000, b"\x0a\x05other")
    checked = check(delimited(1, resource) + trace_request(span(2)).SerializeToString(), SPANS)
    assert names(checked) == ["span 2"]
    assert checked.reason == "resource_spans[0].spanloop_stamp is written by the collector; remove field 15000"


def test_log_records_may_have_no_ids_and_no_time() -> None:
    payload = log_request(LogRecord(), LogRecord(trace_id=b"t" * 16, span_id=b"s" * 8)).SerializeToString()
    assert check(payload, LOG_RECORDS) == Checked(payload, item_count=2, flags=RecordFlags.NONE)


def test_bad_log_record_is_cut_out() -> None:
    request = log_request(LogRecord(severity_text="good"), LogRecord(span_id=b"s"), LogRecord(trace_id=b"t"))
    checked = check(request.SerializeToString(), LOG_RECORDS)
    assert checked.reason == "resource_logs[0].scope_logs[0].log_records[1].span_id is 1 bytes (73); expected 8 bytes"
    assert checked.rejected == 2
    (resource,) = ExportLogsServiceRequest.FromString(checked.payload).resource_logs
    assert list(resource.scope_logs[0].log_records) == [LogRecord(severity_text="good")]


@pytest.mark.parametrize("body", [nested(1), AnyValue(kvlist_value=KeyValueList())])
def test_nested_log_body_is_flagged(body: AnyValue) -> None:
    payload = log_request(LogRecord(body=body)).SerializeToString()
    assert check(payload, LOG_RECORDS).flags == RecordFlags.HAS_NESTED


def test_single_span_of_16_mib_passes() -> None:
    big = with_attribute(span(1), AnyValue(string_value="x" * 16 * 1024 * 1024))
    assert check_spans(big).item_count == 1


def test_ten_thousand_attributes_pass() -> None:
    wide = span(1)
    for number in range(10_000):
        wide.attributes.add(key=f"key {number}").value.int_value = number
    assert check_spans(wide).item_count == 1


@pytest.mark.parametrize("level", [1, 2, 3])
def test_many_tiny_messages_are_refused_before_they_fill_the_memory(level: int) -> None:
    payload = b"".join([b"\x12\x00" if level > 1 else b"\x0a\x00"] * 8_000_000)
    for number in (2, 1)[3 - level :]:
        payload = delimited(number, payload)
    with pytest.raises(TooLargeError, match=f"more than {MAX_MESSAGES} spans and their containers; send smaller"):
        check(payload, SPANS)


def test_count_of_a_corrupt_large_request_cannot_be_evaded() -> None:
    payload = delimited(1, delimited(2, b"\x12\x00" * 100_000)) + b"\xff" * 2_000_000
    with pytest.raises(InvalidRequestError, match="not a valid"):
        check(payload, SPANS)


@given(st.data())
def test_damaged_bytes_are_answered_never_raised(data: st.DataObject) -> None:
    good = trace_request(span(1), with_attribute(span(2), nested(2)), span(3)).SerializeToString()
    damaged = bytearray(good)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    try:
        checked = check(bytes(damaged), SPANS)
    except InvalidRequestError:
        return
    stored = ExportTraceServiceRequest.FromString(checked.payload)
    spans = [s for r in stored.resource_spans for c in r.scope_spans for s in c.spans]
    assert len(spans) == checked.item_count
    assert all(len(s.trace_id) == 16 and len(s.span_id) == 8 and s.start_time_unix_nano for s in spans)


def test_one_bad_span_among_many_is_cheap() -> None:
    chance = random.Random(1)
    spans = [span(chance.getrandbits(60) or 1) for _ in range(20_000)]
    spans[7].span_id = b"short"
    began = time.process_time()
    assert check_spans(*spans).item_count == 19_999
    assert time.process_time() - began < 2
