"""A small real OTLP collector: gRPC and HTTP servers on loopback that keep what they are sent."""

from __future__ import annotations

import gzip
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.support.waiting import wait_until

TRACES = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
LOGS = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"


@dataclass
class Refusal:
    """What a server answers instead of taking the data."""

    grpc: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE
    http: int = 503
    message: str = "not now"
    trailers: tuple[tuple[str, bytes], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    is_wanted: Callable[[bytes], bool] = lambda body: True


@dataclass
class Received:
    """Everything the servers were sent, and how they are told to behave."""

    traces: list[ExportTraceServiceRequest] = field(default_factory=list)
    logs: list[ExportLogsServiceRequest] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    tries: int = 0
    refusal: Refusal | None = None
    rejected_spans: int = 0
    gate: threading.Event = field(default_factory=threading.Event)
    """Cleared: requests wait, as they do for a slow collector."""

    def __post_init__(self) -> None:
        self.gate.set()

    @property
    def spans(self) -> list[Span]:
        return [
            span
            for request in list(self.traces)
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    @property
    def records(self) -> list[LogRecord]:
        return [
            record
            for request in list(self.logs)
            for resource in request.resource_logs
            for scope in resource.scope_logs
            for record in scope.log_records
        ]

    @property
    def names(self) -> list[str]:
        return sorted(span.name for span in self.spans)

    def resource(self) -> dict[str, str]:
        """Resource attributes of the last traces request."""
        attributes = self.traces[-1].resource_spans[-1].resource.attributes
        return {each.key: each.value.string_value for each in attributes}

    def wait_for_spans(self, count: int) -> list[Span]:
        wait_until(lambda: len(self.spans) >= count, what=f"{count} spans", timeout=15)
        return self.spans

    def wait_for_records(self, count: int) -> list[LogRecord]:
        wait_until(lambda: len(self.records) >= count, what=f"{count} log records", timeout=15)
        return self.records

    def take(self, signal: str, body: bytes) -> bytes:
        if signal == "logs":
            self.logs.append(ExportLogsServiceRequest.FromString(body))
            return ExportLogsServiceResponse().SerializeToString()
        self.traces.append(ExportTraceServiceRequest.FromString(body))
        answer = ExportTraceServiceResponse()
        if self.rejected_spans:
            answer.partial_success.rejected_spans = self.rejected_spans
            answer.partial_success.error_message = "span without a name"
        return answer.SerializeToString()

    def answer_to(self, body: bytes) -> Refusal | None:
        self.tries += 1
        self.gate.wait(30)
        refusal = self.refusal
        return refusal if refusal is not None and refusal.is_wanted(body) else None


class _Handler(grpc.GenericRpcHandler):
    def __init__(self, received: Received) -> None:
        self._received = received

    def service(self, details: Any) -> Any:
        signal = {TRACES: "traces", LOGS: "logs"}.get(details.method)
        if signal is None:
            return None
        return grpc.unary_unary_rpc_method_handler(lambda body, call: self._export(signal, body, call))

    def _export(self, signal: str, body: bytes, call: grpc.ServicerContext) -> bytes:
        self._received.headers.append({key: str(value) for key, value in call.invocation_metadata()})
        refusal = self._received.answer_to(body)
        if refusal is not None:
            call.set_trailing_metadata(refusal.trailers)
            call.abort(refusal.grpc, refusal.message)
        return self._received.take(signal, body)


@contextmanager
def grpc_collector(port: int = 0, credentials: grpc.ServerCredentials | None = None) -> Iterator[Collector]:
    """A gRPC collector on `port`, or on a free one."""
    received = Received()
    server = grpc.server(ThreadPoolExecutor(8), options=[("grpc.max_receive_message_length", -1)])
    server.add_generic_rpc_handlers((_Handler(received),))
    address = f"127.0.0.1:{port}"
    bound = server.add_secure_port(address, credentials) if credentials else server.add_insecure_port(address)
    server.start()
    try:
        yield Collector(received, f"http{'s' if credentials else ''}://127.0.0.1:{bound}", bound)
    finally:
        received.gate.set()
        server.stop(0).wait()


@contextmanager
def http_collector(context: ssl.SSLContext | None = None) -> Iterator[Collector]:
    """An OTLP/HTTP collector on a free port."""
    received = Received()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            received.headers.append({key.lower(): value for key, value in self.headers.items()})
            refusal = received.answer_to(body)
            if refusal is not None:
                self._answer(refusal.http, refusal.message.encode(), refusal.headers)
            elif self.path in ("/v1/traces", "/v1/logs"):
                self._answer(200, received.take(self.path.rpartition("/")[2], body), {})
            else:
                self._answer(404, b"no such path", {})

        def _answer(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
            self.send_response(status)
            for key, value in headers.items():
                self.send_header(key, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Keeps test output quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        port = server.server_address[1]
        yield Collector(received, f"http{'s' if context else ''}://127.0.0.1:{port}", int(port), "http/protobuf")
    finally:
        received.gate.set()
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Collector:
    """A running collector and what it received."""

    received: Received
    endpoint: str
    port: int
    protocol: str = "grpc"


def attributes(span: Span) -> dict[str, Any]:
    """A span's attributes as plain values."""
    found: dict[str, Any] = {}
    for each in span.attributes:
        kind = each.value.WhichOneof("value")
        value: Any = getattr(each.value, kind) if kind else None
        found[each.key] = [item.string_value for item in value.values] if kind == "array_value" else value
    return found
