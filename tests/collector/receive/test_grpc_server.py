"""OTLP over real gRPC sockets: every rule a client relies on."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Mapping
from typing import Any

import grpc
import grpc.aio
import pytest
from google.rpc.error_details_pb2 import BadRequest, RetryInfo  # type: ignore[import-untyped]  # ships no types
from grpc_health.v1 import health_pb2, health_pb2_grpc  # type: ignore[import-untyped]  # ships no types
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc  # type: ignore[import-untyped]  # ships no types
from grpc_status.rpc_status import from_call  # type: ignore[import-untyped]  # ships no types
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.logs.v1.logs_service_pb2_grpc import LogsServiceStub
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2_grpc import MetricsServiceStub
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from spanloop_collector.errors import ConfigError, UnauthenticatedError
from spanloop_collector.keys.principal import Principal, Scope
from spanloop_collector.settings import SpoolSettings
from spanloop_collector.telemetry import REGISTRY

from tests.collector.receive.conftest import Receiver, StartReceiver
from tests.collector.receive.otlp import log_request, span, trace_request, with_attribute

TRACES = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
RETRYABLE = {"CANCELLED", "DEADLINE_EXCEEDED", "ABORTED", "OUT_OF_RANGE", "UNAVAILABLE", "DATA_LOSS"}
MIB = 1024 * 1024

AioCall = grpc.aio.StreamUnaryCall[bytes, bytes]


async def export_bytes(channel: grpc.aio.Channel, payload: bytes, **options: Any) -> ExportTraceServiceResponse:
    """Sends bytes that need not be a request."""
    export: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(TRACES)
    return ExportTraceServiceResponse.FromString(await export(payload, **options))


def open_call(channel: grpc.aio.Channel, messages: AsyncIterator[bytes], **options: Any) -> AioCall:
    """A call whose message is still on its way."""
    export: grpc.aio.StreamUnaryMultiCallable[bytes, bytes] = channel.stream_unary(TRACES)
    return export(messages, **options)


async def no_message() -> AsyncIterator[bytes]:
    await asyncio.Event().wait()
    yield b""


async def refused(channel: grpc.aio.Channel, payload: bytes, **options: Any) -> grpc.aio.AioRpcError:
    """The error that the bytes are answered with."""
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await export_bytes(channel, payload, **options)
    return raised.value


def trailers(error: grpc.aio.AioRpcError) -> dict[str, Any]:
    return dict(error.trailing_metadata())


def is_retryable(error: grpc.aio.AioRpcError) -> bool:
    """What OTLP says of the code, and of RESOURCE_EXHAUSTED with and without RetryInfo."""
    if error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED:
        return "google.rpc.retryinfo-bin" in trailers(error)
    return error.code().name in (
        "CANCELLED",
        "DEADLINE_EXCEEDED",
        "ABORTED",
        "OUT_OF_RANGE",
        "UNAVAILABLE",
        "DATA_LOSS",
    )


async def test_traces_and_logs_are_stored(receiver: Receiver, channel: grpc.aio.Channel) -> None:
    traces, logs = TraceServiceStub(channel), LogsServiceStub(channel)  # type: ignore[no-untyped-call]  # generated
    assert await traces.Export(trace_request(span(1), span(2))) == ExportTraceServiceResponse()
    assert await logs.Export(log_request(LogRecord(severity_text="INFO"))) == ExportLogsServiceResponse()
    assert await receiver.spans() == [span(1), span(2)]
    assert await receiver.log_records() == [LogRecord(severity_text="INFO")]


async def test_gzip_is_understood(receiver: Receiver, channel: grpc.aio.Channel) -> None:
    await export_bytes(channel, trace_request(span(1)).SerializeToString(), compression=grpc.Compression.Gzip)
    assert await receiver.spans() == [span(1)]


async def test_empty_request_succeeds_without_partial_success(channel: grpc.aio.Channel) -> None:
    response = await export_bytes(channel, b"")
    assert not response.HasField("partial_success")


async def test_partial_success_counts_and_names_the_field(receiver: Receiver, channel: grpc.aio.Channel) -> None:
    request = trace_request(span(1), span(2, trace_id=b"x"), span(3, span_id=b""))
    response = await export_bytes(channel, request.SerializeToString())
    assert response.partial_success.rejected_spans == 2
    assert response.partial_success.error_message == (
        "resource_spans[0].scope_spans[0].spans[1].trace_id is 1 bytes (78); expected 16 bytes"
    )
    assert await receiver.spans() == [span(1)]


async def test_partial_success_of_logs(channel: grpc.aio.Channel) -> None:
    request = log_request(LogRecord(), LogRecord(trace_id=b"x"))
    response = await LogsServiceStub(channel).Export(request)  # type: ignore[no-untyped-call]  # generated
    assert response.partial_success.rejected_log_records == 1


async def test_malformed_request_is_invalid_with_the_field_in_details(channel: grpc.aio.Channel) -> None:
    error = await refused(channel, b"\x0a\x05ab")
    assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert not is_retryable(error)
    status = from_call(error)
    assert status.message == error.details()
    (detail,) = status.details
    bad_request = BadRequest()
    assert detail.Unpack(bad_request)
    assert [violation.field for violation in bad_request.field_violations] == ["resource_spans"]


async def test_nothing_valid_is_invalid(receiver: Receiver, channel: grpc.aio.Channel) -> None:
    error = await refused(channel, trace_request(span(1, trace_id=b"short")).SerializeToString())
    assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "spans[0].trace_id is 5 bytes" in (error.details() or "")
    assert await receiver.spans() == []


async def test_full_spool_is_unavailable_with_both_retry_infos(start_receiver: StartReceiver) -> None:
    receiver = await start_receiver(spool=SpoolSettings(max_bytes=1000, min_free_disk_bytes=0))
    async with grpc.aio.insecure_channel(receiver.grpc_target) as channel:
        fits = trace_request(with_attribute(span(1), AnyValue(string_value="x" * 500))).SerializeToString()
        await export_bytes(channel, fits)
        error = await refused(channel, fits)
    assert error.code() == grpc.StatusCode.UNAVAILABLE
    own = RetryInfo.FromString(trailers(error)["google.rpc.retryinfo-bin"])
    (detail,) = from_call(error).details
    packed = RetryInfo()
    assert detail.Unpack(packed)
    assert packed == own
    assert 0 < own.retry_delay.ToTimedelta().total_seconds() <= 2


async def test_message_over_the_bound_is_exhausted_and_not_retryable(start_receiver: StartReceiver) -> None:
    receiver = await start_receiver(max_message_bytes=100_000)
    async with grpc.aio.insecure_channel(receiver.grpc_target) as channel:
        at_bound = with_attribute(span(1), AnyValue(string_value=""))
        room = 100_000 - len(trace_request(at_bound).SerializeToString()) - 20
        at_bound.attributes[0].value.string_value = "x" * room
        await export_bytes(channel, trace_request(at_bound).SerializeToString())
        at_bound.attributes[0].value.string_value = "x" * 100_000
        over = trace_request(at_bound).SerializeToString()
        for compression in (grpc.Compression.NoCompression, grpc.Compression.Gzip):
            error = await refused(channel, over, compression=compression)
            assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
            assert not is_retryable(error)
    assert len(await receiver.spans()) == 1


async def test_bomb_is_refused_by_its_decompressed_size(channel: grpc.aio.Channel) -> None:
    error = await refused(channel, bytes(64 * MIB + 1), compression=grpc.Compression.Gzip)
    assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert not is_retryable(error)


async def test_single_span_of_16_mib_is_stored_by_default(receiver: Receiver, channel: grpc.aio.Channel) -> None:
    big = with_attribute(span(1), AnyValue(string_value="x" * 16 * MIB))
    await export_bytes(channel, trace_request(big).SerializeToString())
    assert await receiver.spans() == [big]


async def test_key_is_checked_before_the_message_is_read(receiver: Receiver, channel: grpc.aio.Channel) -> None:
    def nobody(headers: Mapping[str, str]) -> Principal:
        raise UnauthenticatedError(f"no API key, but {headers['authorization']}")

    receiver.authenticate = nobody

    # The message never comes: the answer can only be about the headers.
    call = open_call(channel, no_message(), metadata=[("authorization", "nothing")], timeout=10)
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call
    assert raised.value.code() == grpc.StatusCode.UNAUTHENTICATED
    assert raised.value.details() == "no API key, but nothing"
    assert await receiver.spans() == []


async def test_key_without_the_scope_is_denied(receiver: Receiver, channel: grpc.aio.Channel) -> None:
    receiver.authenticate = lambda headers: Principal("k", "shop", frozenset({Scope.READ}))
    error = await refused(channel, trace_request(span(1)).SerializeToString())
    assert error.code() == grpc.StatusCode.PERMISSION_DENIED
    assert "'ingest'" in (error.details() or "")


async def test_projects_come_from_key_and_metadata(receiver: Receiver, channel: grpc.aio.Channel) -> None:
    payload = trace_request(span(1)).SerializeToString()
    await export_bytes(channel, payload)
    await export_bytes(channel, payload, metadata=[("x-spanloop-project", "other")])
    receiver.authenticate = lambda headers: Principal("k", "shop", frozenset({Scope.INGEST}))
    await export_bytes(channel, payload, metadata=[("x-spanloop-project", "mine")])
    assert await receiver.projects() == [("", "default"), ("", "other"), ("shop", "mine")]


async def test_metrics_are_refused_with_advice(channel: grpc.aio.Channel) -> None:
    with pytest.raises(grpc.aio.AioRpcError, match="OTEL_METRICS_EXPORTER=none") as raised:
        await MetricsServiceStub(channel).Export(ExportMetricsServiceRequest())  # type: ignore[no-untyped-call]  # generated
    assert raised.value.code() == grpc.StatusCode.UNIMPLEMENTED


async def test_unknown_service_is_unimplemented(channel: grpc.aio.Channel) -> None:
    call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary("/nobody.Service/Call")
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call(b"")
    assert raised.value.code() == grpc.StatusCode.UNIMPLEMENTED


async def test_too_many_calls_are_told_to_come_back(start_receiver: StartReceiver, stuck_disk: threading.Event) -> None:
    receiver = await start_receiver(max_concurrent_requests=2)
    payload = trace_request(span(1)).SerializeToString()
    async with grpc.aio.insecure_channel(receiver.grpc_target) as channel:
        calls = [asyncio.create_task(export_bytes(channel, payload)) for _ in range(3)]
        (finished,), working = await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
        error = finished.exception()
        assert isinstance(error, grpc.aio.AioRpcError)
        stuck_disk.set()
        await asyncio.gather(*working)
        await export_bytes(channel, payload)
    assert error.code() == grpc.StatusCode.UNAVAILABLE
    assert "google.rpc.retryinfo-bin" in trailers(error)
    assert "receive.max_concurrent_requests" in (error.details() or "")


async def test_health_and_reflection_answer(receiver: Receiver, channel: grpc.aio.Channel) -> None:
    health = health_pb2_grpc.HealthStub(channel)
    for service in ("", "opentelemetry.proto.collector.trace.v1.TraceService"):
        answer = await health.Check(health_pb2.HealthCheckRequest(service=service))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
    call = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo()
    await call.write(reflection_pb2.ServerReflectionRequest(list_services=""))
    listed = {service.name for service in (await call.read()).list_services_response.service}
    await call.done_writing()
    assert listed >= {
        "opentelemetry.proto.collector.trace.v1.TraceService",
        "opentelemetry.proto.collector.logs.v1.LogsService",
        "grpc.health.v1.Health",
    }


async def test_port_in_use_is_a_clear_error(receiver: Receiver, start_receiver: StartReceiver) -> None:
    with pytest.raises(ConfigError, match=rf"receive\.grpc_address=127\.0\.0\.1:{receiver.grpc.port}"):
        await start_receiver(grpc_address=receiver.grpc_target)


async def test_requests_are_counted_by_status(channel: grpc.aio.Channel) -> None:
    def counted(status: str) -> float:
        labels = {"signal": "traces", "status": status}
        return REGISTRY.get_sample_value("spanloop_receive_requests_total", labels) or 0

    before = counted("OK"), counted("INVALID_ARGUMENT")
    await export_bytes(channel, trace_request(span(1)).SerializeToString())
    await refused(channel, b"garbage")
    assert (counted("OK"), counted("INVALID_ARGUMENT")) == (before[0] + 1, before[1] + 1)


async def test_idle_and_stalled_peers_do_not_stop_others(receiver: Receiver, channel: grpc.aio.Channel) -> None:
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\x04" + bytes(5)
    idle = [socket.create_connection(("127.0.0.1", receiver.grpc.port)) for _ in range(300)]
    for connection in idle[::2]:
        connection.sendall(preface)

    calls = [open_call(channel, no_message()) for _ in range(50)]
    await export_bytes(channel, trace_request(span(1)).SerializeToString(), timeout=20)
    assert await receiver.spans() == [span(1)]
    for call in calls:
        call.cancel()
    for connection in idle:
        connection.close()
