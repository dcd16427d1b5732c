"""OTLP over real HTTP sockets: protobuf and JSON, gzip, every refusal with its status and form."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import threading
import zlib
from collections.abc import AsyncIterator, Mapping

import httpx
import pytest
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]  # ships no types
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from spanloop_collector.errors import ConfigError, UnauthenticatedError
from spanloop_collector.keys.principal import Principal
from spanloop_collector.receive import http_body
from spanloop_collector.settings import SpoolSettings

from tests.collector.receive.conftest import Receiver, StartReceiver
from tests.collector.receive.otlp import START, log_request, span, trace_request, with_attribute

PROTOBUF = {"content-type": "application/x-protobuf"}
JSON = {"content-type": "application/json"}
GZIP = {"content-encoding": "gzip"}
TRACE_ID, SPAN_ID = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174"


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False, timeout=30, verify=False) as client:
        yield client


def json_request(*spans: Mapping[str, object]) -> dict[str, object]:
    return {"resourceSpans": [{"scopeSpans": [{"spans": list(spans)}]}]}


def json_span(**fields: object) -> dict[str, object]:
    return {"traceId": TRACE_ID, "spanId": SPAN_ID, "name": "s", "startTimeUnixNano": str(START), **fields}


def status_of(response: httpx.Response) -> Status:
    assert response.headers["content-type"] == "application/x-protobuf"
    return Status.FromString(response.content)


async def test_protobuf_is_stored(receiver: Receiver, client: httpx.AsyncClient) -> None:
    body = trace_request(span(1), span(2)).SerializeToString()
    response = await client.post(receiver.url("/v1/traces"), content=body, headers=PROTOBUF)
    assert (response.status_code, response.headers["content-type"]) == (200, "application/x-protobuf")
    assert not ExportTraceServiceResponse.FromString(response.content).HasField("partial_success")
    logs = log_request(LogRecord(severity_text="INFO")).SerializeToString()
    response = await client.post(receiver.url("/v1/logs"), content=logs, headers=PROTOBUF)
    assert ExportLogsServiceResponse.FromString(response.content) == ExportLogsServiceResponse()
    assert await receiver.spans() == [span(1), span(2)]
    assert await receiver.log_records() == [LogRecord(severity_text="INFO")]


@pytest.mark.parametrize("pieces", [1, 2])
async def test_gzip_in_one_or_several_members_is_understood(
    receiver: Receiver, client: httpx.AsyncClient, pieces: int
) -> None:
    body = trace_request(span(1)).SerializeToString()
    cut = len(body) // pieces
    packed = b"".join(gzip.compress(part) for part in (body[:cut], body[cut:]) if part)
    response = await client.post(receiver.url("/v1/traces"), content=packed, headers=PROTOBUF | GZIP)
    assert response.status_code == 200
    assert await receiver.spans() == [span(1)]


async def test_json_is_stored_as_the_same_span(receiver: Receiver, client: httpx.AsyncClient) -> None:
    sent = json_span(
        parentSpanId="eee19b7ec3c1b173",
        kind=2,
        endTimeUnixNano=START + 1,
        attributes=[
            {"key": "text", "value": {"stringValue": "4-byte 🎉"}},
            {"key": "large", "value": {"intValue": str(2**63 - 1)}},
            {"key": "number", "value": {"intValue": 7}},
            {"key": "list", "value": {"arrayValue": {"values": [{"boolValue": True}, {"doubleValue": 0.5}]}}},
            {"key": "bytes", "value": {"bytesValue": "AP8="}},
        ],
        links=[{"traceId": TRACE_ID.upper(), "spanId": SPAN_ID}],
        status={"code": 2},
        fromTheFuture={"ignored": [1, 2]},
    )
    response = await client.post(receiver.url("/v1/traces"), json=json_request(sent))
    assert (response.status_code, response.json()) == (200, {})
    expected = Span(
        trace_id=bytes.fromhex(TRACE_ID),
        span_id=bytes.fromhex(SPAN_ID),
        parent_span_id=bytes.fromhex("eee19b7ec3c1b173"),
        name="s",
        kind=Span.SPAN_KIND_SERVER,
        start_time_unix_nano=START,
        end_time_unix_nano=START + 1,
    )
    for key, value in [("text", AnyValue(string_value="4-byte 🎉")), ("large", AnyValue(int_value=2**63 - 1))]:
        with_attribute(expected, value, key=key)
    with_attribute(expected, AnyValue(int_value=7), key="number")
    values = expected.attributes.add(key="list").value.array_value.values
    values.extend([AnyValue(bool_value=True), AnyValue(double_value=0.5)])
    with_attribute(expected, AnyValue(bytes_value=b"\x00\xff"), key="bytes")
    expected.links.add(trace_id=bytes.fromhex(TRACE_ID), span_id=bytes.fromhex(SPAN_ID))
    expected.status.code = 2  # type: ignore[assignment]  # STATUS_CODE_ERROR
    assert await receiver.spans() == [expected]


async def test_json_logs_are_stored(receiver: Receiver, client: httpx.AsyncClient) -> None:
    record = {"traceId": TRACE_ID, "spanId": SPAN_ID, "body": {"stringValue": "hello"}, "timeUnixNano": "1"}
    document = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record, {}]}]}]}
    response = await client.post(receiver.url("/v1/logs"), json=document)
    assert response.json() == {}
    stored = LogRecord(trace_id=bytes.fromhex(TRACE_ID), span_id=bytes.fromhex(SPAN_ID), time_unix_nano=1)
    stored.body.string_value = "hello"
    assert await receiver.log_records() == [stored, LogRecord()]


async def test_bad_json_span_costs_only_itself(receiver: Receiver, client: httpx.AsyncClient) -> None:
    document = json_request(json_span(), json_span(traceId="not hex at all!!"), json_span(spanId="abcd"))
    response = await client.post(receiver.url("/v1/traces"), json=document)
    assert response.json() == {
        "partialSuccess": {
            "rejectedSpans": "2",
            "errorMessage": "resource_spans[0].scope_spans[0].spans[1].trace_id is "
            "'not hex at all!!', which is not hexadecimal; expected 16 bytes",
        }
    }
    assert len(await receiver.spans()) == 1


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "the body is not JSON"),
        (b"[]", "the body is an array; expected a JSON object"),
        (b"\xff\xfe", "the body is not JSON"),
        (b'{"resourceSpans": 5}', "not a valid ExportTraceServiceRequest: .*resourceSpans"),
        (json.dumps(json_request(json_span(startTimeUnixNano="soon"))).encode(), "startTimeUnixNano.*soon"),
        (b'{"resourceSpans": ' + b"[" * 900 + b"]" * 900 + b"}", "not a valid ExportTraceServiceRequest"),
    ],
)
async def test_bad_json_is_refused_by_name(
    receiver: Receiver, client: httpx.AsyncClient, body: bytes, message: str
) -> None:
    response = await client.post(receiver.url("/v1/traces"), content=body, headers=JSON)
    assert (response.status_code, response.headers["content-type"]) == (400, "application/json")
    status = response.json()
    assert status["code"] == 3
    assert re.search(message, status["message"])


@pytest.mark.parametrize("body", [b"garbage", gzip.compress(b"garbage", mtime=0)])
async def test_malformed_protobuf_is_refused(receiver: Receiver, client: httpx.AsyncClient, body: bytes) -> None:
    headers = PROTOBUF | (GZIP if body[:2] == b"\x1f\x8b" else {})
    response = await client.post(receiver.url("/v1/traces"), content=body, headers=headers)
    assert response.status_code == 400
    assert status_of(response).message.startswith("not a valid opentelemetry.proto.collector.trace.v1")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (gzip.compress(b"x" * 1000, mtime=0)[:-10], "truncated gzip"),
        (b"no gzip", "the body is not gzip"),
        (gzip.compress(b"x", mtime=0) + b"behind", "the body is not gzip"),
        (gzip.compress(b"x", mtime=0)[:-8] + bytes(8), "the body is not gzip"),
    ],
)
async def test_broken_gzip_is_refused(receiver: Receiver, client: httpx.AsyncClient, body: bytes, message: str) -> None:
    response = await client.post(receiver.url("/v1/traces"), content=body, headers=PROTOBUF | GZIP)
    assert response.status_code == 400
    assert message in status_of(response).message


async def test_bound_holds_before_and_after_decompression(
    start_receiver: StartReceiver, client: httpx.AsyncClient
) -> None:
    receiver = await start_receiver(max_message_bytes=10_000)
    room = 10_000 - len(trace_request(span(1, name="")).SerializeToString()) - 6
    fits = trace_request(span(1, name="x" * room)).SerializeToString()
    over = trace_request(span(1, name="x" * 10_000)).SerializeToString()
    assert 9_990 < len(fits) <= 10_000
    for body, status in ((fits, 200), (over, 413)):
        for headers, sent in ((PROTOBUF, body), (PROTOBUF | GZIP, gzip.compress(body))):
            response = await client.post(receiver.url("/v1/traces"), content=sent, headers=headers)
            assert response.status_code == status
    assert "receive.max_message_bytes=10000" in status_of(response).message
    assert len(await receiver.spans()) == 2


async def test_bomb_never_unfolds(receiver: Receiver, client: httpx.AsyncClient) -> None:
    packer = zlib.compressobj(wbits=31)
    megabyte = bytes(1024 * 1024)
    bomb = b"".join(packer.compress(megabyte) for _ in range(100)) + packer.flush()
    response = await client.post(receiver.url("/v1/traces"), content=bomb, headers=PROTOBUF | GZIP)
    assert response.status_code == 413


@pytest.mark.parametrize("content_type", ["text/plain", "", "application/octet-stream"])
async def test_other_content_types_are_refused(
    receiver: Receiver, client: httpx.AsyncClient, content_type: str
) -> None:
    headers = {"content-type": content_type}
    response = await client.post(receiver.url("/v1/traces"), content=b"x", headers=headers)
    assert response.status_code == 415
    assert response.json()["message"] == (
        f"content-type '{content_type}' is not supported; send application/x-protobuf or application/json"
    )


async def test_content_type_may_have_parameters(receiver: Receiver, client: httpx.AsyncClient) -> None:
    headers = {"content-type": "Application/JSON; charset=utf-8"}
    response = await client.post(receiver.url("/v1/traces"), content=b"{}", headers=headers)
    assert (response.status_code, response.json()) == (200, {})


async def test_other_encodings_are_refused(receiver: Receiver, client: httpx.AsyncClient) -> None:
    headers = PROTOBUF | {"content-encoding": "br"}
    response = await client.post(receiver.url("/v1/traces"), content=b"x", headers=headers)
    assert response.status_code == 415
    assert "'br'" in status_of(response).message


async def test_wrong_method_and_path_say_what_is_right(receiver: Receiver, client: httpx.AsyncClient) -> None:
    response = await client.get(receiver.url("/v1/traces"))
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert response.json()["message"] == "GET /v1/traces is not OTLP; send POST"
    response = await client.post(receiver.url("/v1/trace"), content=b"", headers=PROTOBUF)
    assert response.status_code == 404
    assert status_of(response).message == "/v1/trace does not exist; OTLP is at /v1/traces and /v1/logs"
    response = await client.post(receiver.url("/v1/metrics"), content=b"", headers=PROTOBUF)
    assert response.status_code == 404
    assert "OTEL_METRICS_EXPORTER=none" in status_of(response).message


async def test_key_is_checked_before_the_body_is_read(receiver: Receiver) -> None:
    def nobody(headers: Mapping[str, str]) -> Principal:
        raise UnauthenticatedError(f"no, {headers.get('authorization')}")

    receiver.authenticate = nobody

    headers = PROTOBUF | {"authorization": "Bearer wrong"}
    reader, writer = await asyncio.open_connection("127.0.0.1", receiver.http.port)
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(f"POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n{head}\r\n".encode())
    answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
    writer.close()
    assert answer.startswith(b"HTTP/1.1 401")
    assert b"www-authenticate: Bearer" in answer


async def test_full_spool_says_when_to_come_back(start_receiver: StartReceiver, client: httpx.AsyncClient) -> None:
    receiver = await start_receiver(spool=SpoolSettings(max_bytes=500, min_free_disk_bytes=0))
    body = trace_request(span(1, name="x" * 300)).SerializeToString()
    await client.post(receiver.url("/v1/traces"), content=body, headers=PROTOBUF)
    response = await client.post(receiver.url("/v1/traces"), content=body, headers=PROTOBUF)
    assert response.status_code == 503
    assert response.headers["retry-after"] == "1"
    status = status_of(response)
    assert (status.code, len(status.details)) == (14, 1)


async def test_too_many_requests_say_when_to_come_back(
    start_receiver: StartReceiver, client: httpx.AsyncClient, stuck_disk: threading.Event
) -> None:
    receiver = await start_receiver(max_concurrent_requests=1)
    body = trace_request(span(1)).SerializeToString()

    async def post() -> int:
        return (await client.post(receiver.url("/v1/traces"), content=body, headers=PROTOBUF)).status_code

    requests = [asyncio.create_task(post()) for _ in range(2)]
    (refused,), working = await asyncio.wait(requests, return_when=asyncio.FIRST_COMPLETED)
    stuck_disk.set()
    assert (refused.result(), [await request for request in working]) == (503, [200])


async def test_slow_body_is_given_up(
    receiver: Receiver, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_body, "BODY_TIMEOUT_SECONDS", 0.2)

    async def slow() -> AsyncIterator[bytes]:
        yield b"\x0a"
        await asyncio.sleep(1)

    response = await client.post(receiver.url("/v1/traces"), content=slow(), headers=PROTOBUF)
    assert response.status_code == 503
    assert "within 0.2 seconds" in status_of(response).message


async def test_port_in_use_is_a_clear_error(receiver: Receiver, start_receiver: StartReceiver) -> None:
    address = f"127.0.0.1:{receiver.http.port}"
    with pytest.raises(ConfigError, match=rf"receive\.http_address={address} cannot be listened on"):
        await start_receiver(http_address=address)


async def test_no_other_origin_may_call(receiver: Receiver, client: httpx.AsyncClient) -> None:
    headers = {"origin": "https://example.com", "access-control-request-method": "POST"}
    response = await client.options(receiver.url("/v1/traces"), headers=headers)
    assert response.status_code == 405
    assert not [name for name in response.headers if name.startswith("access-control")]
