"""Every failure the collector answers, grouped by who must act.

SpanloopError
├── RetryableError            the sender again, later (UNAVAILABLE / 503, with RetryInfo)
│   ├── SpoolFullError        the spool reached its bound or its disk is full
│   └── StoreUnavailableError ClickHouse cannot be reached or asks to try later
├── PermanentError            the sender, differently (never retried)
│   ├── InvalidRequestError   a field is wrong; names the field (INVALID_ARGUMENT / 400)
│   ├── TooLargeError         a message is over its bound (RESOURCE_EXHAUSTED without RetryInfo / 413)
│   ├── UnauthenticatedError  no key, or one that is unknown or revoked (UNAUTHENTICATED / 401)
│   ├── PermissionDeniedError the key is known and does not reach this far (PERMISSION_DENIED / 403)
│   ├── NotFoundError         the named thing does not exist (NOT_FOUND / 404)
│   ├── ConflictError         the named thing is in a state that does not allow it (FAILED_PRECONDITION / 409)
│   └── UnsupportedError      an operation, signal or encoding we do not speak (UNIMPLEMENTED / 415)
├── QueryError                ClickHouse refused a statement; carries ClickHouse's own code (400)
└── ConfigError               the operator, before the start
"""

from __future__ import annotations


class SpanloopError(Exception):
    """Base of every failure that has an answer."""


class RetryableError(SpanloopError):
    """The same request may succeed later."""

    def __init__(self, message: str, *, retry_after_seconds: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class SpoolFullError(RetryableError):
    """The spool cannot take more until ClickHouse has caught up."""


class StoreUnavailableError(RetryableError):
    """ClickHouse cannot be reached, or refuses for a reason that passes."""


class PermanentError(SpanloopError):
    """The same request will never succeed."""


class InvalidRequestError(PermanentError):
    """A field of the request is wrong."""

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


def invalid(field: str, message: str) -> InvalidRequestError:
    """A fault of the request at that field."""
    return InvalidRequestError(f"{field}: {message}", field=field)


class TooLargeError(PermanentError):
    """A message is larger than the collector is set to accept."""


class UnauthenticatedError(PermanentError):
    """The request carries no key, or one that is unknown or revoked."""


class PermissionDeniedError(PermanentError):
    """The key is valid and lacks the scope or the project."""


class NotFoundError(PermanentError):
    """The named object does not exist."""


class ConflictError(PermanentError):
    """The named object is in a state that does not allow this, or somebody else changed it first."""


class UnsupportedError(PermanentError):
    """The collector does not speak this operation, signal or encoding."""


class QueryError(SpanloopError):
    """ClickHouse, or the guard before it, refused a statement."""

    def __init__(self, message: str, *, code: int) -> None:
        super().__init__(message)
        self.code = code


class ConfigError(SpanloopError):
    """A setting is wrong; the message names the setting and the fix."""
