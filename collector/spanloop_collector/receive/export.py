"""What OTLP's Export is for each signal, whatever the transport: from a stored request to its response."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from prometheus_client import Counter

from spanloop_collector.errors import RetryableError
from spanloop_collector.intake import Accepted, Intake
from spanloop_collector.keys.principal import Principal
from spanloop_collector.telemetry import REQUESTS

Authenticate = Callable[[Mapping[str, str]], Principal]
"""Finds the caller by headers or gRPC metadata with lower-case names; raises UnauthenticatedError."""

NO_METRICS = (
    "metrics are not stored here: set OTEL_METRICS_EXPORTER=none, or send them elsewhere with "
    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"
)

# A response stays far below the 4 MiB that OTLP allows.
MAX_REASON_CHARACTERS = 1000


class Accept(Protocol):
    """Stores one request; see Intake."""

    def __call__(self, payload: bytes, *, principal: Principal, default_project: str = "") -> Awaitable[Accepted]: ...


@dataclass(frozen=True, slots=True)
class Export:
    """One signal's export call."""

    signal: str
    """`traces` or `logs`, as in the metrics."""
    grpc_method: str
    http_path: str
    request: type[Message]
    response: type[Message]
    rejected_field: str
    """Name of the count in the response's `partial_success`."""
    accept: Accept

    def respond(self, accepted: Accepted) -> Message:
        """The response; `partial_success` is set only when there is something to say."""
        response = self.response()
        if accepted.rejected or accepted.reason:
            partial: Any = response
            setattr(partial.partial_success, self.rejected_field, accepted.rejected)
            partial.partial_success.error_message = accepted.reason[:MAX_REASON_CHARACTERS]
        return response

    def count(self, status: str) -> None:
        """Counts one request by the name of its gRPC status."""
        _counter(self.signal, status).inc()


@cache
def _counter(signal: str, status: str) -> Counter:
    return REQUESTS.labels(signal, status)


def exports(intake: Intake) -> list[Export]:
    """The signals the collector stores."""
    return [
        Export(
            signal="traces",
            grpc_method="/opentelemetry.proto.collector.trace.v1.TraceService/Export",
            http_path="/v1/traces",
            request=trace_service_pb2.ExportTraceServiceRequest,
            response=trace_service_pb2.ExportTraceServiceResponse,
            rejected_field="rejected_spans",
            accept=intake.accept_traces,
        ),
        Export(
            signal="logs",
            grpc_method="/opentelemetry.proto.collector.logs.v1.LogsService/Export",
            http_path="/v1/logs",
            request=logs_service_pb2.ExportLogsServiceRequest,
            response=logs_service_pb2.ExportLogsServiceResponse,
            rejected_field="rejected_log_records",
            accept=intake.accept_logs,
        ),
    ]


class InFlight:
    """Bounds the requests that one transport works on at a time."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._count = 0

    def refuse_over_limit(self) -> None:
        """Raises RetryableError when no more may begin; worth asking before a body is read."""
        if self._count >= self._limit:
            raise RetryableError(
                f"{self._count} requests are in flight, as many as receive.max_concurrent_requests allows"
            )

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """Counts a request while it is worked on; raises like `refuse_over_limit`."""
        self.refuse_over_limit()
        self._count += 1
        try:
            yield
        finally:
            self._count -= 1
