"""OTLP over gRPC. Imported by `init`, not before.

Not later either: a process that forks while another thread imports leaves the child half a module.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import grpc
from google.rpc.error_details_pb2 import RetryInfo  # type: ignore[import-untyped]  # has no types

from spanloop._settings import Settings
from spanloop._transport import Kind, Outcome, request_headers
from spanloop._transport.partial import partial_success
from spanloop._version import __version__

METHODS = {
    "traces": "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    "logs": "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
}
OPTIONS: list[tuple[str, Any]] = [
    ("grpc.primary_user_agent", f"spanloop-python/{__version__}"),
    # A connection shared through gRPC's global pool would be shared with a forked child as well.
    ("grpc.use_local_subchannel_pool", 1),
    # gRPC's own pause between connection attempts grows to two minutes; ours decides.
    ("grpc.initial_reconnect_backoff_ms", 500),
    ("grpc.max_reconnect_backoff_ms", 2000),
]
RETRY_INFO = "google.rpc.retryinfo-bin"

_KINDS = {
    "UNAVAILABLE": Kind.LATER,
    "DEADLINE_EXCEEDED": Kind.LATER,
    "CANCELLED": Kind.LATER,
    "ABORTED": Kind.LATER,
    "OUT_OF_RANGE": Kind.LATER,
    "DATA_LOSS": Kind.LATER,
    "RESOURCE_EXHAUSTED": Kind.TOO_LARGE,  # with RetryInfo: LATER
    "UNAUTHENTICATED": Kind.DENIED,
    "PERMISSION_DENIED": Kind.DENIED,
    "UNIMPLEMENTED": Kind.DENIED,
    "NOT_FOUND": Kind.DENIED,
}


class GrpcTransport:
    """One channel to the collector, opened when first needed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._metadata = tuple(request_headers(settings).items())
        self._channel: grpc.Channel | None = None
        self._forgotten: list[object] = []

    def send(self, signal: str, body: bytes, timeout_seconds: float) -> Outcome:
        try:
            call: Callable[..., bytes] = self._open().unary_unary(METHODS[signal])
            answer = call(body, metadata=self._metadata, timeout=timeout_seconds)
        except grpc.RpcError as error:
            return _failure(error)
        except Exception as error:
            return Outcome(Kind.DENIED, f"{type(error).__name__}: {error}")
        return _success(signal, answer)

    def _open(self) -> grpc.Channel:
        if self._channel is None:
            self._channel = self._connect()
        return self._channel

    def _connect(self) -> grpc.Channel:
        settings = self._settings
        parts = urlsplit(settings.endpoint)
        compression = grpc.Compression.Gzip if settings.compression == "gzip" else None
        if parts.scheme == "http":
            return grpc.insecure_channel(parts.netloc, OPTIONS, compression)
        credentials = grpc.ssl_channel_credentials(
            _file(settings.certificate), _file(settings.client_key), _file(settings.client_certificate)
        )
        return grpc.secure_channel(parts.netloc, credentials, OPTIONS, compression)

    def forget(self) -> None:
        # Kept referenced: closing, or being collected, would touch the parent's connection.
        self._forgotten.append(self._channel)
        self._channel = None

    def close(self) -> None:
        if self._channel is not None:
            self._channel.close()
            self._channel = None


def _file(path: str) -> bytes | None:
    return Path(path).read_bytes() if path else None


def _failure(error: Any) -> Outcome:
    code = error.code().name
    reason = f"{code}: {error.details() or 'no details'}"
    retry_after = _retry_after_seconds(error)
    kind = _KINDS.get(code, Kind.REFUSED)
    if kind is Kind.TOO_LARGE and retry_after is not None:
        kind = Kind.LATER
    return Outcome(kind, reason, retry_after)


def _retry_after_seconds(error: Any) -> float | None:
    for key, value in error.trailing_metadata() or ():
        if key == RETRY_INFO:
            delay = RetryInfo.FromString(value).retry_delay
            return float(delay.seconds + delay.nanos / 1e9)
    return None


def _success(signal: str, answer: bytes) -> Outcome:
    rejected, reason = partial_success(signal, answer)
    return Outcome(Kind.DELIVERED, reason, rejected=rejected)
