"""A receiver without the rest of the collector: both transports on free ports, real spools behind them."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from pathlib import Path

import grpc.aio
import pytest
from google.protobuf.unknown_fields import UnknownFieldSet
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from spanloop_collector.intake import Intake
from spanloop_collector.keys.principal import Principal
from spanloop_collector.receive.grpc_server import GrpcServer
from spanloop_collector.receive.http_listener import HttpListener
from spanloop_collector.receive.http_server import otlp_app
from spanloop_collector.receive.wire import fields
from spanloop_collector.settings import AuthSettings, ReceiveSettings, SpoolSettings
from spanloop_collector.spool import Spool, active
from spanloop_collector.spool.durable import sync_file


def everyone(headers: Mapping[str, str]) -> Principal:
    return Principal.anonymous()


class Receiver:
    """Running transports and what they have stored."""

    def __init__(self, directory: Path, receive: ReceiveSettings, spool: SpoolSettings, auth: AuthSettings) -> None:
        self._traces = Spool.open(directory / "traces", spool, signal="traces", flush_after_seconds=0)
        self._logs = Spool.open(directory / "logs", spool, signal="logs", flush_after_seconds=0)
        self.intake = Intake(traces=self._traces, logs=self._logs, default_project="default")
        self.authenticate = everyone
        self.grpc = GrpcServer(
            self.intake, receive=receive, auth=auth, authenticate=lambda headers: self.authenticate(headers)
        )
        app = otlp_app(self.intake, receive=receive, authenticate=lambda headers: self.authenticate(headers))
        self.http = HttpListener(app, setting="receive.http_address", address=receive.http_address, auth=auth)

    async def start(self) -> None:
        await self.grpc.start()
        await self.http.start()

    async def stop(self) -> None:
        await self.grpc.stop(grace_seconds=1)
        await self.http.stop(grace_seconds=1)
        await self._traces.close()
        await self._logs.close()

    @property
    def grpc_target(self) -> str:
        return f"127.0.0.1:{self.grpc.port}"

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.http.port}{path}"

    async def spans(self) -> list[Span]:
        """Every stored span, in order; the spool is empty afterwards."""
        resources = [
            resource
            for payload in await _payloads(self._traces)
            for resource in ExportTraceServiceRequest.FromString(payload).resource_spans
        ]
        return [span for resource in resources for scope in resource.scope_spans for span in scope.spans]

    async def log_records(self) -> list[LogRecord]:
        """Every stored log record, in order; the spool is empty afterwards."""
        resources = [
            resource
            for payload in await _payloads(self._logs)
            for resource in ExportLogsServiceRequest.FromString(payload).resource_logs
        ]
        return [record for resource in resources for scope in resource.scope_logs for record in scope.log_records]

    async def projects(self) -> list[tuple[str, str]]:
        """Project and default project in the stamp of every stored resource; the spool is empty afterwards."""
        found = []
        for payload in await _payloads(self._traces):
            for resource in ExportTraceServiceRequest.FromString(payload).resource_spans:
                content: bytes = UnknownFieldSet(resource)[0].data
                stamp = {f.number: content[f.start : f.end] for f in fields(content, 0, len(content))}
                found.append((stamp[1].decode(), stamp[3].decode()))
        return found


async def _payloads(spool: Spool) -> list[bytes]:
    spool.seal()
    found: list[bytes] = []
    while segment := await spool.take(timeout=0.05):
        found.extend(bytes(record.payload) for record in segment.records())
        segment.remove()
    return found


StartReceiver = Callable[..., Awaitable[Receiver]]


@pytest.fixture
async def start_receiver(tmp_path: Path) -> AsyncIterator[StartReceiver]:
    """Starts receivers; keywords are fields of ReceiveSettings, or the other two settings as a whole."""
    started: list[Receiver] = []

    async def start(
        *, spool: SpoolSettings | None = None, auth: AuthSettings | None = None, **overrides: object
    ) -> Receiver:
        receive = ReceiveSettings(grpc_address="127.0.0.1:0", http_address="127.0.0.1:0")
        receive = dataclasses.replace(receive, **overrides)  # type: ignore[arg-type]  # any field of the settings
        directory = tmp_path / f"receiver-{len(started)}"
        receiver = Receiver(directory, receive, spool or SpoolSettings(min_free_disk_bytes=0), auth or AuthSettings())
        started.append(receiver)
        await receiver.start()
        return receiver

    yield start
    for receiver in started:
        await receiver.stop()


@pytest.fixture
async def receiver(start_receiver: StartReceiver) -> Receiver:
    """A running receiver with default settings."""
    return await start_receiver()


@pytest.fixture
async def channel(receiver: Receiver) -> AsyncIterator[grpc.aio.Channel]:
    """A plain channel to the receiver."""
    options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    async with grpc.aio.insecure_channel(receiver.grpc_target, options=options) as channel:
        yield channel


@pytest.fixture
def stuck_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A disk that finishes no write until the event is set."""
    release = threading.Event()

    def sync_late(descriptor: int) -> None:
        release.wait()
        sync_file(descriptor)

    monkeypatch.setattr(active, "sync_file", sync_late)
    yield release
    release.set()
