"""The OpenTelemetry SDK's own exporters as clients."""

from __future__ import annotations

import asyncio

import pytest
from grpc import Compression as GrpcCompression
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcLogExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpanExporter
from opentelemetry.exporter.otlp.proto.http import Compression as HttpCompression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import LogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter
from opentelemetry.trace import SpanKind
from spanloop_collector.settings import SpoolSettings
from spanloop_collector.telemetry import REGISTRY

from tests.collector.receive.conftest import Receiver, StartReceiver
from tests.support.waiting import wait_until

TRANSPORTS = ["grpc", "grpc gzip", "http", "http gzip"]


def span_exporter(receiver: Receiver, transport: str) -> SpanExporter:
    is_gzip = transport.endswith("gzip")
    if transport.startswith("grpc"):
        compression = GrpcCompression.Gzip if is_gzip else GrpcCompression.NoCompression
        return GrpcSpanExporter(receiver.grpc_target, insecure=True, compression=compression)
    http = HttpCompression.Gzip if is_gzip else HttpCompression.NoCompression
    return HttpSpanExporter(receiver.url("/v1/traces"), compression=http)


def log_exporter(receiver: Receiver, transport: str) -> LogRecordExporter:
    if transport.startswith("grpc"):
        return GrpcLogExporter(receiver.grpc_target, insecure=True)
    return HttpLogExporter(receiver.url("/v1/logs"))


def make_spans(exporter: SpanExporter, count: int) -> None:
    """Ends that many child spans and their root, each exported at once."""
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("tests")
    with tracer.start_as_current_span("root", kind=SpanKind.SERVER):
        for number in range(count):
            with tracer.start_as_current_span(f"child {number}") as child:
                child.set_attribute("tags", ["a", "b"])
                child.add_event("happened", {"gen_ai.system": "openai"})
    provider.shutdown()


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_sdk_spans_arrive(receiver: Receiver, transport: str, caplog: pytest.LogCaptureFixture) -> None:
    await asyncio.to_thread(make_spans, span_exporter(receiver, transport), 5)
    spans = await receiver.spans()
    assert [span.name for span in spans] == [*(f"child {number}" for number in range(5)), "root"]
    assert {span.parent_span_id for span in spans} == {spans[-1].span_id, b""}
    assert spans[0].attributes[0].value.array_value.values[1].string_value == "b"
    assert not caplog.records


@pytest.mark.parametrize("transport", ["grpc", "http"])
async def test_sdk_log_records_arrive(receiver: Receiver, transport: str) -> None:
    def log() -> None:
        provider = LoggerProvider()
        provider.add_log_record_processor(SimpleLogRecordProcessor(log_exporter(receiver, transport)))
        provider.get_logger("tests").emit(body={"nested": ["map"]}, severity_text="WARN")
        provider.shutdown()

    await asyncio.to_thread(log)
    (record,) = await receiver.log_records()
    assert record.severity_text == "WARN"
    assert record.body.kvlist_value.values[0].key == "nested"


def counted_refusals() -> float:
    labels = {"signal": "traces", "status": "UNAVAILABLE"}
    return REGISTRY.get_sample_value("spanloop_receive_requests_total", labels) or 0


@pytest.mark.parametrize("transport", ["grpc", "http"])
async def test_sdk_retries_until_the_spool_has_room(start_receiver: StartReceiver, transport: str) -> None:
    receiver = await start_receiver(spool=SpoolSettings(max_bytes=900, min_free_disk_bytes=0))
    refused = counted_refusals()
    sending = asyncio.create_task(asyncio.to_thread(make_spans, span_exporter(receiver, transport), 3))
    names: list[str] = []
    await asyncio.to_thread(wait_until, lambda: counted_refusals() > refused, what="the spool is full")
    async with asyncio.timeout(30):
        while "root" not in names:
            names += [span.name for span in await receiver.spans()]
    await sending
    assert names == ["child 0", "child 1", "child 2", "root"]
