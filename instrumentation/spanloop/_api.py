"""A client of the collector's API, with the standard library: JSON over one kept-alive connection.

Unlike tracing, which never raises into the application, what a program asks for here it waits for: a collector that
refuses or stays away is an `ApiError` that says what to do.
"""

from __future__ import annotations

import http.client
import json
import os
import threading
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from spanloop import _runtime, _settings
from spanloop._plain import plain
from spanloop._transport.api import api_beside
from spanloop._transport.http import Certificates, HttpConnection

REQUEST_SECONDS = 60.0
RETRY_SECONDS = 15.0
"""How long a collector may stay away, or say "try later", before a request fails."""
FIRST_CONTACT_SECONDS = 2.0
"""The same for one that has never answered this process: more likely there is none."""
FIRST_PAUSE_SECONDS = 0.1
MAX_PAUSE_SECONDS = 2.0
RETRIED_STATUS = frozenset({429, 502, 503, 504})

_answered: set[str] = set()
"""Addresses at which a collector has answered this process."""


class ApiError(Exception):
    """The collector did not answer, or refused; the message says what to do."""

    def __init__(self, message: str, *, status: int = 0, field: str = "") -> None:
        super().__init__(message)
        self.status = status
        """HTTP status; 0 when nobody answered."""
        self.field = field
        """The field of the request that is wrong; empty where none is to blame."""


class ApiClient:
    """Calls one collector. Safe to use from several threads, which take turns."""

    def __init__(self, url: str | None = None, *, api_key: str | None = None) -> None:
        self.url = (url or default_api_url()).rstrip("/")
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ApiError(f"API address {self.url!r} is not of the form http[s]://host:port (SPANLOOP_API_URL)")
        self._headers: dict[str, str | bytes] = {"content-type": "application/json"}
        if key := api_key or default_api_key():
            self._headers["authorization"] = f"Bearer {key}"
        # Protects the connection, which carries one request at a time.
        self._lock = threading.Lock()
        self._connection = HttpConnection(self.url, default_certificates())

    def get(self, path: str, **parameters: str) -> dict[str, Any]:
        """The JSON answer to GET; parameters that are empty are left out."""
        query = urlencode({name: value for name, value in parameters.items() if value})
        return self._call("GET", f"{path}?{query}" if query else path, None)

    def post(
        self,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        is_idempotent: bool = False,
        timeout: float = REQUEST_SECONDS,
    ) -> dict[str, Any]:
        """The JSON answer to POST. Values that JSON does not have are written as tracing writes them.

        A request that is idempotent is sent again when its answer got lost. Raises ValueError for NaN and infinity.
        """
        encoded = _encode(body or {})
        runtime = _runtime.active()
        if runtime is not None and runtime.attachments is not None:
            runtime.attachments.release(encoded)  # what rows in it refer to is uploaded meanwhile
        return self._call("POST", path, encoded, is_idempotent=is_idempotent, timeout=timeout)

    def delete(self, path: str, **parameters: str) -> dict[str, Any]:
        """The JSON answer to DELETE."""
        query = urlencode({name: value for name, value in parameters.items() if value})
        return self._call("DELETE", f"{path}?{query}" if query else path, None)

    def rows(self, sql: str, *, timeout: float = REQUEST_SECONDS, **parameters: str) -> list[dict[str, Any]]:
        """All rows of a SELECT; `{name:String}` in it takes the parameter of that name."""
        body = _encode({"sql": sql, "parameters": parameters, "format": "RESULT_FORMAT_JSON_ROWS"})
        with self._lock:
            status, content = self._exchange("POST", "/v1/query", body, timeout)
        if status // 100 != 2:
            raise _refusal(status, _parse(content), content)
        return [json.loads(line) for line in content.splitlines() if line]

    def close(self) -> None:
        """Closes the connection; the next request opens another."""
        with self._lock:
            self._connection.close()

    def __del__(self) -> None:
        # A socket that is left to the garbage collector would warn.
        if connection := getattr(self, "_connection", None):
            connection.close()

    def _call(
        self,
        method: str,
        path: str,
        body: bytes | None,
        *,
        is_idempotent: bool = True,
        timeout: float = REQUEST_SECONDS,
    ) -> dict[str, Any]:
        started = time.monotonic()
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                return self._try(method, path, body, timeout)
            except ApiError as error:
                is_passing = error.status in RETRIED_STATUS or (error.status == 0 and is_idempotent)
                patience = RETRY_SECONDS if self.url in _answered else FIRST_CONTACT_SECONDS
                if not is_passing or time.monotonic() + pause > started + patience:
                    raise
            time.sleep(pause)
            pause = min(pause * 2, MAX_PAUSE_SECONDS)

    def _try(self, method: str, path: str, body: bytes | None, timeout: float) -> dict[str, Any]:
        with self._lock:
            status, content = self._exchange(method, path, body, timeout)
        answer = _parse(content)
        if status // 100 == 2 and isinstance(answer, dict):
            return answer
        if status // 100 == 2:
            raise ApiError(f"{self.url}{path} did not answer with JSON; is that a spanloop collector?", status=status)
        raise _refusal(status, answer, content)

    def _exchange(self, method: str, path: str, body: bytes | None, timeout: float) -> tuple[int, bytes]:
        try:
            answer = self._connection.request(method, path, body, self._headers, timeout)
        except (OSError, http.client.HTTPException) as error:
            raise ApiError(
                f"no collector answers at {self.url} ({error or type(error).__name__}); start one with "
                "`spanloop serve`, or say where it is with SPANLOOP_API_URL"
            ) from None
        _answered.add(self.url)
        return answer.status, answer.content


def default_api_url(environ: Mapping[str, str] = os.environ) -> str:
    """`SPANLOOP_API_URL`; without it the API's port on the host that traces are sent to, or on this machine."""
    if given := environ.get("SPANLOOP_API_URL"):
        return given
    runtime = _runtime.active()
    endpoint = runtime.settings.endpoint if runtime else environ.get("SPANLOOP_ENDPOINT", "")
    return api_beside(endpoint if "://" in endpoint else f"http://{endpoint or '127.0.0.1'}")


def default_api_key(environ: Mapping[str, str] = os.environ) -> str:
    """The key given to `spanloop.init`, or `SPANLOOP_API_KEY`; empty without either."""
    runtime = _runtime.active()
    return (runtime.settings.api_key if runtime else "") or environ.get("SPANLOOP_API_KEY", "")


def default_certificates() -> Certificates:
    """Those given to `spanloop.init`, or by its variables."""
    runtime = _runtime.active()
    return Certificates.of(runtime.settings if runtime else _settings.resolve({})[0])


def default_project(environ: Mapping[str, str] = os.environ) -> str:
    """The project given to `spanloop.init`, or `SPANLOOP_PROJECT`; empty leaves it to the key or the collector."""
    runtime = _runtime.active()
    return (runtime.settings.project if runtime else "") or environ.get("SPANLOOP_PROJECT", "")


def _encode(body: Mapping[str, object]) -> bytes:
    text = json.dumps(_without_bytes(body), default=plain, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode()


def _without_bytes(body: Mapping[str, object]) -> Mapping[str, object]:
    """The body with references to large bytes, such as images, in the place of those."""
    runtime = _runtime.active()
    keeper = runtime.attachments if runtime is not None else None
    if keeper is None:
        return body
    return {
        name: [keeper.take_out(each) for each in value] if isinstance(value, list) else keeper.take_out(value)
        for name, value in body.items()
    }


def _parse(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None


def _refusal(status: int, answer: Any, content: bytes) -> ApiError:
    error = answer.get("error") if isinstance(answer, dict) else None
    if isinstance(error, dict):
        message, field = str(error.get("message", "")), str(error.get("field", ""))
    else:
        message, field = content[:500].decode("utf-8", "replace").strip(), ""
    hint = "; give a key with api_key= or SPANLOOP_API_KEY" if status == 401 else ""
    return ApiError((message or f"HTTP {status}") + hint, status=status, field=field)
