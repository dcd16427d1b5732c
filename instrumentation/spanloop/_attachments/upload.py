"""Hands bytes to the collector over its API: asks for them first, so that the same bytes never travel twice."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlsplit

from spanloop._attachments.keeper import Upload
from spanloop._settings import Settings
from spanloop._transport import Kind, Outcome, request_headers
from spanloop._transport.api import api_url
from spanloop._version import __version__

PATH = "/v1/attachments/"
PROJECT_HEADER = "x-spanloop-project"

_KINDS = {
    401: Kind.DENIED,
    403: Kind.DENIED,
    404: Kind.DENIED,
    405: Kind.DENIED,
    421: Kind.DENIED,
    429: Kind.LATER,
    502: Kind.LATER,
    503: Kind.LATER,
    504: Kind.LATER,
}


def encode_upload(batch: Sequence[Upload]) -> bytes:
    """One upload as bytes, for the queue and the disk: a line that describes it, then its data."""
    (upload,) = batch
    head = {"key": upload.key, "content_type": upload.content_type, "filename": upload.filename}
    return json.dumps(head).encode() + b"\n" + upload.data


def decode_upload(body: bytes) -> Upload:
    head, _, data = body.partition(b"\n")
    return Upload(data=data, **json.loads(head))


class Uploader:
    """One connection to the API, opened when first needed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._url = urlsplit(api_url(settings))
        self._headers: dict[str, str | bytes] = {
            **request_headers(settings),
            "user-agent": f"spanloop-python/{__version__}",
        }
        if settings.project:
            self._headers[PROJECT_HEADER] = settings.project.encode()
        self._connection: http.client.HTTPConnection | None = None
        self._forgotten: list[object] = []

    def send(self, signal: str, body: bytes, timeout_seconds: float) -> Outcome:
        """Uploads what `encode_upload` made, unless the collector has it."""
        try:
            upload = decode_upload(body)
            status, answer = self._try("HEAD", upload, timeout_seconds)
            if status == 404:
                status, answer = self._try("PUT", upload, timeout_seconds)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            kind = Kind.DENIED if isinstance(error, ssl.SSLError | FileNotFoundError) else Kind.LATER
            return Outcome(kind, f"{type(error).__name__}: {error}")
        except Exception as error:
            self.close()
            return Outcome(Kind.DENIED, f"{type(error).__name__}: {error}")
        if status // 100 == 2:
            return Outcome(Kind.DELIVERED)
        return Outcome(_KINDS.get(status, Kind.REFUSED), f"HTTP {status}: {_message(answer)}".rstrip(": "))

    def _try(self, method: str, upload: Upload, timeout_seconds: float) -> tuple[int, bytes]:
        was_open = self._connection is not None
        try:
            return self._request(method, upload, timeout_seconds)
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            self.close()
            if not was_open:
                raise
            # An idle connection the collector had closed in the meantime.
            return self._request(method, upload, timeout_seconds)

    def _request(self, method: str, upload: Upload, timeout_seconds: float) -> tuple[int, bytes]:
        connection = self._open(timeout_seconds)
        path, headers, body = f"{self._url.path}{PATH}{upload.key}", dict(self._headers), None
        if method == "PUT":
            path = f"{path}?filename={quote(upload.filename, safe='')}" if upload.filename else path
            headers["content-type"] = upload.content_type
            body = upload.data
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        answer = response.read()
        if response.will_close:
            self.close()
        return response.status, answer

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

    def read(self, key: str, timeout_seconds: float) -> bytes:
        """The bytes of a key, from whichever project the API key reaches."""
        connection = self._open(timeout_seconds)
        headers = {name: value for name, value in self._headers.items() if name != PROJECT_HEADER}
        connection.request("GET", f"{self._url.path}{PATH}{key}", None, headers)
        response = connection.getresponse()
        content = response.read()
        if response.status != 200:
            raise FileNotFoundError(f"HTTP {response.status}: {_message(content)}".rstrip(": "))
        return content

    def forget(self) -> None:
        """Drops the connection without closing it, which the parent of a forked child still uses."""
        self._forgotten.append(self._connection)
        self._connection = None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _message(answer: bytes) -> str:
    """What the collector says is wrong; a little of anything else."""
    try:
        content: Any = json.loads(answer)
        return str(content["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return answer[:200].decode("utf-8", "replace").strip()
