"""OTLP over HTTP: protobuf bodies."""

from __future__ import annotations

import email.utils
import gzip
import time

from spanloop._settings import Settings
from spanloop._transport import Kind, Outcome, request_headers
from spanloop._transport.http import Answer, Certificates, HttpConnection, refused, unanswered
from spanloop._transport.partial import partial_success

MAX_ANSWER_BYTES = 4 * 1024 * 1024
PATHS = {"traces": "/v1/traces", "logs": "/v1/logs"}


class HttpTransport:
    """One connection to the collector."""

    def __init__(self, settings: Settings) -> None:
        self._headers = {**request_headers(settings), "content-type": "application/x-protobuf"}
        self._compresses = settings.compression == "gzip"
        self._connection = HttpConnection(
            settings.endpoint, Certificates.of(settings), max_answer_bytes=MAX_ANSWER_BYTES
        )
        self.forget, self.close = self._connection.forget, self._connection.close

    def send(self, signal: str, body: bytes, timeout_seconds: float) -> Outcome:
        headers = self._headers
        if self._compresses:
            body, headers = gzip.compress(body, 5), {**headers, "content-encoding": "gzip"}
        try:
            answer = self._connection.request("POST", PATHS[signal], body, headers, timeout_seconds)
        except Exception as error:
            return unanswered(error)
        return _outcome(signal, answer)


def _outcome(signal: str, answer: Answer) -> Outcome:
    if not answer.is_success:
        return refused(answer, _retry_after_seconds(answer.retry_after))
    rejected, reason = partial_success(signal, answer.content)
    return Outcome(Kind.DELIVERED, reason, rejected=rejected)


def _retry_after_seconds(value: str | None) -> float | None:
    """The header's meaning: a number of seconds, or a date."""
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None
