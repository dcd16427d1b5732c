"""OTLP over HTTP with the standard library: one kept-alive connection, protobuf bodies."""

from __future__ import annotations

import email.utils
import gzip
import http.client
import ssl
import time
from urllib.parse import urlsplit

from spanloop._settings import Settings
from spanloop._transport import Kind, Outcome, request_headers
from spanloop._transport.partial import partial_success
from spanloop._version import __version__

PATHS = {"traces": "/v1/traces", "logs": "/v1/logs"}
MAX_ANSWER_BYTES = 4 * 1024 * 1024

_KINDS = {
    429: Kind.LATER,
    502: Kind.LATER,
    503: Kind.LATER,
    504: Kind.LATER,
    401: Kind.DENIED,
    403: Kind.DENIED,
    404: Kind.DENIED,
    405: Kind.DENIED,
    415: Kind.DENIED,
    413: Kind.TOO_LARGE,
}


class HttpTransport:
    """One connection to the collector, opened when first needed and after it was lost."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._url = urlsplit(settings.endpoint)
        self._headers = {
            **request_headers(settings),
            "content-type": "application/x-protobuf",
            "user-agent": f"spanloop-python/{__version__}",
        }
        self._connection: http.client.HTTPConnection | None = None
        self._forgotten: list[object] = []

    def send(self, signal: str, body: bytes, timeout_seconds: float) -> Outcome:
        headers = self._headers
        if self._settings.compression == "gzip":
            body, headers = gzip.compress(body, 5), {**headers, "content-encoding": "gzip"}
        was_open = self._connection is not None
        try:
            try:
                return self._post(signal, body, headers, timeout_seconds)
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                self.close()
                if not was_open:
                    raise
                # An idle connection the collector had closed in the meantime.
                return self._post(signal, body, headers, timeout_seconds)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            kind = Kind.DENIED if isinstance(error, ssl.SSLError | FileNotFoundError) else Kind.LATER
            return Outcome(kind, f"{type(error).__name__}: {error}")
        except Exception as error:
            self.close()
            return Outcome(Kind.DENIED, f"{type(error).__name__}: {error}")

    def _post(self, signal: str, body: bytes, headers: dict[str, str], timeout_seconds: float) -> Outcome:
        connection = self._open(timeout_seconds)
        connection.request("POST", self._url.path + PATHS[signal], body, headers)
        response = connection.getresponse()
        answer = response.read(MAX_ANSWER_BYTES)
        if response.will_close:
            self.close()
        return _outcome(signal, response, answer)

    def _open(self, timeout_seconds: float) -> http.client.HTTPConnection:
        if self._connection is None:
            self._connection = self._connect()
        self._connection.timeout = timeout_seconds
        if self._connection.sock is not None:
            self._connection.sock.settimeout(timeout_seconds)
        return self._connection

    def _connect(self) -> http.client.HTTPConnection:
        host, port = self._url.hostname or "127.0.0.1", self._url.port
        if self._url.scheme == "http":
            return http.client.HTTPConnection(host, port)
        context = ssl.create_default_context(cafile=self._settings.certificate or None)
        if self._settings.client_certificate:
            context.load_cert_chain(self._settings.client_certificate, self._settings.client_key or None)
        return http.client.HTTPSConnection(host, port, context=context)

    def forget(self) -> None:
        # Kept referenced: closing TLS would tell the collector that the parent's connection ends.
        self._forgotten.append(self._connection)
        self._connection = None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _outcome(signal: str, response: http.client.HTTPResponse, answer: bytes) -> Outcome:
    if response.status // 100 == 2:
        rejected, reason = partial_success(signal, answer)
        return Outcome(Kind.DELIVERED, reason, rejected=rejected)
    kind = _KINDS.get(response.status, Kind.REFUSED)
    text = answer[:200].decode("utf-8", "replace").strip()
    reason = f"HTTP {response.status} {response.reason}: {text}".rstrip(": ")
    return Outcome(kind, reason, _retry_after_seconds(response.getheader("retry-after")))


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
