"""One kept-alive HTTP connection, with the standard library, and what its answers mean to who sends over it."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from spanloop._settings import Settings
from spanloop._transport import Kind, Outcome
from spanloop._version import __version__

USER_AGENT = f"spanloop-python/{__version__}"
SHOWN_CHARS = 200  # of an answer that is not the collector's own

_KINDS = {
    401: Kind.DENIED,
    403: Kind.DENIED,
    404: Kind.DENIED,
    405: Kind.DENIED,
    413: Kind.TOO_LARGE,
    415: Kind.DENIED,
    421: Kind.DENIED,
    429: Kind.LATER,
    502: Kind.LATER,
    503: Kind.LATER,
    504: Kind.LATER,
}


class Answer(NamedTuple):
    """What a server said."""

    status: int
    reason: str
    content: bytes
    retry_after: str | None

    @property
    def is_success(self) -> bool:
        return self.status // 100 == 2


class Certificates(NamedTuple):
    """Names of PEM files; empty ones leave it to the system."""

    authority: str = ""
    client: str = ""
    client_key: str = ""

    @classmethod
    def of(cls, settings: Settings) -> Certificates:
        return cls(settings.certificate, settings.client_certificate, settings.client_key)


class HttpConnection:
    """Opened when first needed, and again after it was lost. Carries one request at a time."""

    def __init__(self, url: str, certificates: Certificates, *, max_answer_bytes: int | None = None) -> None:
        """`url` is `http[s]://host:port/path`, whose path is put before that of each request.

        Of an answer beyond `max_answer_bytes` only the beginning is read; None reads all.
        """
        self._url = urlsplit(url)
        self._certificates = certificates
        self._max_answer_bytes = max_answer_bytes
        self._connection: http.client.HTTPConnection | None = None
        self._forgotten: list[object] = []

    def request(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str | bytes], timeout_seconds: float
    ) -> Answer:
        """The answer, whatever its status. Raises OSError or HTTPException where there is none."""
        was_open = self._connection is not None
        try:
            try:
                return self._try(method, path, body, headers, timeout_seconds)
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                self.close()
                if not was_open:
                    raise
                # An idle connection the server had closed in the meantime.
                return self._try(method, path, body, headers, timeout_seconds)
        except BaseException:
            self.close()
            raise

    def _try(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str | bytes], timeout_seconds: float
    ) -> Answer:
        connection = self._open(timeout_seconds)
        connection.request(method, self._url.path + path, body, {"user-agent": USER_AGENT, **headers})
        response = connection.getresponse()
        content = response.read(self._max_answer_bytes)
        if response.will_close or not response.isclosed():
            self.close()
        return Answer(response.status, response.reason, content, response.getheader("retry-after"))

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
        files = self._certificates
        context = ssl.create_default_context(cafile=files.authority or None)
        if files.client:
            context.load_cert_chain(files.client, files.client_key or None)
        return http.client.HTTPSConnection(host, port, context=context)

    def forget(self) -> None:
        """Drops the connection without closing it; for a forked child, whose parent still uses it."""
        # Kept referenced: closing TLS would tell the server that the parent's connection ends.
        self._forgotten.append(self._connection)
        self._connection = None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def unanswered(error: Exception) -> Outcome:
    """What came of a request that raised `error`."""
    is_passing = isinstance(error, OSError | http.client.HTTPException)
    is_ours_to_mend = isinstance(error, ssl.SSLError | FileNotFoundError)  # a certificate, or its file
    kind = Kind.LATER if is_passing and not is_ours_to_mend else Kind.DENIED
    return Outcome(kind, f"{type(error).__name__}: {error}")


def refused(answer: Answer, retry_after_seconds: float | None = None) -> Outcome:
    """What an answer that is no success means."""
    reason = f"HTTP {answer.status} {answer.reason}: {message_in(answer.content)}".rstrip(": ")
    return Outcome(_KINDS.get(answer.status, Kind.REFUSED), reason, retry_after_seconds)


def message_in(content: bytes) -> str:
    """What the collector says is wrong; a little of anything else."""
    try:
        return str(json.loads(content)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return content[:SHOWN_CHARS].decode("utf-8", "replace").strip()
