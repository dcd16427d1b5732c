"""One table from errors to codes; every error has a place in it."""

from __future__ import annotations

import grpc
import pytest
from spanloop_collector import errors
from spanloop_collector.receive.status import MAX_MESSAGE_CHARACTERS, answer_for

EXPECTED = [
    (errors.RetryableError("x"), "UNAVAILABLE", 503, True),
    (errors.SpoolFullError("x"), "UNAVAILABLE", 503, True),
    (errors.StoreUnavailableError("x"), "UNAVAILABLE", 503, True),
    (errors.PermanentError("x"), "INVALID_ARGUMENT", 400, False),
    (errors.InvalidRequestError("x", field="f"), "INVALID_ARGUMENT", 400, False),
    (errors.TooLargeError("x"), "RESOURCE_EXHAUSTED", 413, False),
    (errors.UnauthenticatedError("x"), "UNAUTHENTICATED", 401, False),
    (errors.PermissionDeniedError("x"), "PERMISSION_DENIED", 403, False),
    (errors.NotFoundError("x"), "NOT_FOUND", 404, False),
    (errors.ConflictError("x"), "FAILED_PRECONDITION", 409, False),
    (errors.UnsupportedError("x"), "UNIMPLEMENTED", 415, False),
    (errors.QueryError("x", code=62), "INVALID_ARGUMENT", 400, False),
    (RuntimeError("a bug"), "UNAVAILABLE", 503, True),
]


@pytest.mark.parametrize(("error", "code", "http_status", "is_retryable"), EXPECTED)
def test_error_has_its_codes(error: Exception, code: str, http_status: int, is_retryable: bool) -> None:
    answer = answer_for(error)
    assert (answer.code, answer.http_status) == (grpc.StatusCode[code], http_status)
    assert ("retry-after" in answer.http_headers()) == is_retryable
    assert ("google.rpc.retryinfo-bin" in dict(answer.grpc_trailers())) == is_retryable


def test_every_answerable_error_is_in_the_table() -> None:
    tested = {type(error) for error, *_ in EXPECTED}
    kinds = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)}
    # Bases that are never raised, and what stops the start.
    assert kinds - tested == {errors.SpanloopError, errors.ConfigError}


def test_bug_is_logged_and_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    answer = answer_for(RuntimeError("secret detail"))
    assert answer.message == "the collector failed unexpectedly; see its log"
    assert "secret detail" in caplog.text


def test_retry_is_never_later_than_an_exporter_waits() -> None:
    answer = answer_for(errors.RetryableError("x", retry_after_seconds=60))
    assert answer.retry_after_seconds == 2


def test_long_messages_fit_into_metadata() -> None:
    answer = answer_for(errors.InvalidRequestError("🎉" * 5000, field="f" * 5000))
    assert len(answer.message) == MAX_MESSAGE_CHARACTERS + 1
    assert sum(len(value) for _, value in answer.grpc_trailers()) < 6000
