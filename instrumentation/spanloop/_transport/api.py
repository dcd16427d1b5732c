"""One kept-alive connection to the collector's API, for what the background threads send there."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from typing import Any
from urllib.parse import urlsplit

from spanloop._settings import Settings
from spanloop._transport import Kind, Outcome, request_headers
from spanloop._version import __version__

API_PORT = 7411

_KINDS = {
    401: Kind.DENIED,
    403: Kind.DENIED,
    404: Kind.DENIED,
    405: Kind.DENIED,
    421: Kind.DENIED,
    413: Kind.TOO_LARGE,
    429: Kind.LATER,
    502: Kind.LATER,
    503: Kind.LATER,
    504: Kind.LATER,
}


def api_url(settings: Settings) -> str:
    """Where the API answers: `api_url`, or its usual port where the endpoint is."""
    if settings.api_url:
        return settings.api_url.rstrip("/")
    parts = urlsplit(settings.endpoint)
    host = parts.hostname or "127.0.0.1"
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}:{API_PORT}"


class ApiConnection:
    """Opened when first needed, and again after it was lost. Never raises."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._url = urlsplit(api_url(settings))
        self._headers = {
            **request_headers(settings),
            "content-type": "application/json",
            "user-agent": f"spanloop-python/{__version__}",
        }
        self._connection: http.client.HTTPConnection | None = None
        self._forgotten: list[object] = []

    def post(self, path: str, body: bytes, timeout_seconds: float) -> tuple[Outcome, Any]:
        """What came of it, and the answer as JSON; None where there is none."""
        was_open = self._connection is not None
        try:
            try:
                status, content = self._post(path, body, timeout_seconds)
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                self.close()
                if not was_open:
                    raise
                # An idle connection the collector had closed in the meantime.
                status, content = self._post(path, body, timeout_seconds)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            kind = Kind.DENIED if isinstance(error, ssl.SSLError | FileNotFoundError) else Kind.LATER
            return Outcome(kind, f"{type(error).__name__}: {error}"), None
        except Exception as error:
            self.close()
            return Outcome(Kind.DENIED, f"{type(error).__name__}: {error}"), None
        return _outcome(status, content)

    def _post(self, path: str, body: bytes, timeout_seconds: float) -> tuple[int, bytes]:
        connection = self._open(timeout_seconds)
        connection.request("POST", self._url.path + path, body, self._headers)
        response = connection.getresponse()
        content = response.read()
        if response.will_close:
            self.close()
        return response.status, content

    def _open(self, timeout_seconds: float) -> http.client.HTTPConnection:
        if self._connection is None:
            connection = self._connect(timeout_seconds)
            connection.connect()
            # Header and body are two writes; without this the second waits for the first one's acknowledgement.
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connection = connection
        self._connection.sock.settimeout(timeout_seconds)
        return self._connection

    def _connect(self, timeout_seconds: float) -> http.client.HTTPConnection:
        settings = self._settings
        host, port = self._url.hostname or "127.0.0.1", self._url.port
        if self._url.scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=timeout_seconds)
        context = ssl.create_default_context(cafile=settings.certificate or None)
        if settings.client_certificate:
            context.load_cert_chain(settings.client_certificate, settings.client_key or None)
        return http.client.HTTPSConnection(host, port, timeout=timeout_seconds, context=context)

    def forget(self) -> None:
        """Drops the connection without closing it; for a forked child, whose parent still uses it."""
        self._forgotten.append(self._connection)
        self._connection = None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _outcome(status: int, content: bytes) -> tuple[Outcome, Any]:
    try:
        answer = json.loads(content)
    except ValueError:
        answer = None
    if status // 100 == 2:
        return Outcome(Kind.DELIVERED), answer
    error = answer.get("error") if isinstance(answer, dict) else None
    message = error.get("message") if isinstance(error, dict) else content[:200].decode("utf-8", "replace").strip()
    return Outcome(_KINDS.get(status, Kind.REFUSED), f"HTTP {status}: {message}".rstrip(": ")), answer
