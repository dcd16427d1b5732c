"""From our errors to what a sender is told: one table, for gRPC and for HTTP.

Which codes a sender may retry is OTLP's rule:
https://github.com/open-telemetry/opentelemetry-proto/blob/main/docs/specification.md#failures
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

import grpc
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import BadRequest, RetryInfo  # type: ignore[import-untyped]  # ships no types
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]  # ships no types

from spanloop_collector.errors import (
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    PermanentError,
    PermissionDeniedError,
    QueryError,
    RetryableError,
    SpanloopError,
    TooLargeError,
    UnauthenticatedError,
    UnsupportedError,
)

if TYPE_CHECKING:
    from spanloop_collector.receive.http2 import Call

# A sender with ten seconds in all, as OpenTelemetry's exporters have by default, must get several tries.
MAX_RETRY_AFTER_SECONDS = 2.0

# Metadata is limited to 8 KiB by default, and holds the message twice.
MAX_MESSAGE_CHARACTERS = 500

_CODES: list[tuple[type[Exception], grpc.StatusCode, int]] = [
    (InvalidRequestError, grpc.StatusCode.INVALID_ARGUMENT, 400),
    (QueryError, grpc.StatusCode.INVALID_ARGUMENT, 400),
    # Without RetryInfo, RESOURCE_EXHAUSTED is not retryable.
    (TooLargeError, grpc.StatusCode.RESOURCE_EXHAUSTED, 413),
    (UnauthenticatedError, grpc.StatusCode.UNAUTHENTICATED, 401),
    (PermissionDeniedError, grpc.StatusCode.PERMISSION_DENIED, 403),
    (NotFoundError, grpc.StatusCode.NOT_FOUND, 404),
    (ConflictError, grpc.StatusCode.FAILED_PRECONDITION, 409),
    (UnsupportedError, grpc.StatusCode.UNIMPLEMENTED, 415),
    (PermanentError, grpc.StatusCode.INVALID_ARGUMENT, 400),
    (RetryableError, grpc.StatusCode.UNAVAILABLE, 503),
]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a sender is told about a failed request."""

    code: grpc.StatusCode
    http_status: int
    message: str
    retry_after_seconds: float | None = None
    """None: the same request will never succeed."""
    field: str = ""
    """Path of the wrong field, when there is one."""

    def status(self) -> Status:
        """The body of an HTTP answer, and the details of a gRPC one."""
        status = Status(code=self.code.value[0], message=self.message)
        if self.retry_after_seconds is not None:
            status.details.add().Pack(self._retry_info())
        if self.field:
            violation = BadRequest.FieldViolation(field=self.field, description=self.message)
            status.details.add().Pack(BadRequest(field_violations=[violation]))
        return status

    def grpc_trailers(self) -> tuple[tuple[str, bytes], ...]:
        """The details where clients look for them.

        Most read `grpc-status-details-bin`; OpenTelemetry's Python exporter reads `google.rpc.retryinfo-bin`.
        """
        trailers = [("grpc-status-details-bin", self.status().SerializeToString())]
        if self.retry_after_seconds is not None:
            trailers.append(("google.rpc.retryinfo-bin", self._retry_info().SerializeToString()))
        return tuple(trailers)

    def http_headers(self) -> dict[str, str]:
        """Retry-After in whole seconds, and how to authenticate."""
        headers = {}
        if self.retry_after_seconds is not None:
            headers["retry-after"] = str(math.ceil(self.retry_after_seconds))
        if self.http_status == 401:
            headers["www-authenticate"] = "Bearer"
        return headers

    def _retry_info(self) -> RetryInfo:
        delay = Duration()
        delay.FromNanoseconds(round((self.retry_after_seconds or 0) * 1e9))
        return RetryInfo(retry_delay=delay)


def answer_for(error: Exception) -> Answer:
    """The answer to a request that failed with this error; an unexpected one is logged with its traceback."""
    if not isinstance(error, SpanloopError):
        logger.error("receive: unexpected error", exc_info=error)
        # A bug of ours is no reason for the sender to drop its data.
        error = RetryableError("the collector failed unexpectedly; see its log")
    code, http_status = _codes_of(error)
    return Answer(
        code=code,
        http_status=http_status,
        message=_shorten(str(error)),
        retry_after_seconds=_retry_after(error),
        field=_shorten(error.field) if isinstance(error, InvalidRequestError) else "",
    )


async def abort(call: Call, answer: Answer) -> NoReturn:
    """Ends a gRPC call with the answer."""
    await call.abort(answer.code, answer.message, answer.grpc_trailers())


def _codes_of(error: SpanloopError) -> tuple[grpc.StatusCode, int]:
    for kind, code, http_status in _CODES:
        if isinstance(error, kind):
            return code, http_status
    return grpc.StatusCode.INTERNAL, 500


def _retry_after(error: SpanloopError) -> float | None:
    if not isinstance(error, RetryableError):
        return None
    return min(max(error.retry_after_seconds, 0.0), MAX_RETRY_AFTER_SECONDS)


def _shorten(message: str) -> str:
    if len(message) <= MAX_MESSAGE_CHARACTERS:
        return message
    return message[:MAX_MESSAGE_CHARACTERS] + "…"
