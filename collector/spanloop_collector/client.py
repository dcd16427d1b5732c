"""A small HTTP client of the collector's API, for the command line. Needs the standard library only."""

from __future__ import annotations

import json
import os
import re
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import BadStatusLine, HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPSHandler, ProxyHandler, Request, build_opener

from spanloop_collector.configuration import default_data_dir
from spanloop_collector.configuration.rules import is_loopback
from spanloop_collector.errors import QueryError, SpanloopError

DEFAULT_API_URL = "http://127.0.0.1:7411"
ADMIN_KEY_FILE = "admin.key"
TLS_FILES = ("SPANLOOP_CERTIFICATE", "SPANLOOP_CLIENT_CERTIFICATE", "SPANLOOP_CLIENT_KEY")
REQUEST_SECONDS = 60.0
STREAM_SECONDS = 330.0
"""Until the next answer of several: a scorer may take five minutes."""
STREAM_BYTES = 256 * 1024
HELD_BACK_BYTES = 64 * 1024
"""ClickHouse ends a result that fails midway with its message, which is shorter than this."""


class ApiError(SpanloopError):
    """The collector did not answer, or refused; the message says what to do."""

    def __init__(self, message: str, *, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class SqlResult:
    """What a statement gives."""

    format: str
    """The one that was asked for, unless the statement itself says FORMAT."""
    pieces: Iterator[bytes]


class ApiClient:
    """Calls one collector."""

    def __init__(self, url: str = DEFAULT_API_URL, *, key: str | None = None) -> None:
        """Without `key`, the key that a collector on this machine keeps in its data directory is used."""
        self.url = url.rstrip("/")
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ApiError(f"API address {url!r} is not of the form http[s]://host:port (--api-url, SPANLOOP_API_URL)")
        is_here = is_loopback(parts.hostname)
        self._key = key or (local_admin_key() if is_here else None)
        # A proxy from the environment cannot reach this machine's loopback.
        proxies = [ProxyHandler({})] if is_here else []
        context = tls_context() if parts.scheme == "https" else None
        self._opener = build_opener(HTTPSHandler(context=context), *proxies)

    def get(self, path: str, **parameters: str) -> dict[str, Any]:
        """The JSON answer to GET."""
        return self._json("GET", path, parameters=parameters)

    def post(self, path: str, body: Mapping[str, object] | None = None) -> dict[str, Any]:
        """The JSON answer to POST."""
        return self._json("POST", path, body=body or {})

    def post_lines(self, path: str, body: Mapping[str, object]) -> Iterator[dict[str, Any]]:
        """The answers to POST of an operation that gives several, as they come."""
        request = self._request("POST", path, json.dumps(body).encode(), content_type="application/json")
        with self._open(request, STREAM_SECONDS) as response:
            try:
                yield from map(json.loads, response)
            except (HTTPException, OSError) as error:
                raise ApiError(f"the collector's answers broke off: {error}") from None

    def delete(self, path: str) -> dict[str, Any]:
        """The JSON answer to DELETE."""
        return self._json("DELETE", path)

    @contextmanager
    def sql(self, statement: str, *, format: str, timeout: float = REQUEST_SECONDS) -> Iterator[SqlResult]:
        """The result in one of ClickHouse's formats, as it arrives.

        Raises:
            QueryError: when ClickHouse refuses the statement, or fails in the middle of the result.
        """
        path = f"/?{urlencode({'default_format': format})}"
        request = self._request("POST", path, statement.encode(), content_type="text/plain; charset=utf-8")
        with self._open(request, timeout) as response:
            yield SqlResult(response.headers.get("X-ClickHouse-Format", format), _read_pieces(response))

    def sql_rows(self, statement: str, *, timeout: float = REQUEST_SECONDS) -> list[dict[str, Any]]:
        """All rows of a result, each a dict of column → value."""
        with self.sql(statement, format="JSONEachRow", timeout=timeout) as result:
            content = b"".join(result.pieces)
        return [json.loads(line) for line in content.splitlines() if line]

    @contextmanager
    def open(self, path: str, **parameters: str) -> Iterator[HTTPResponse]:
        """The answer to GET as it arrives, whatever it is made of."""
        query = f"?{urlencode(parameters)}" if parameters else ""
        with self._open(self._request("GET", path + query, None, content_type=""), REQUEST_SECONDS) as response:
            yield response

    def _json(
        self,
        method: str,
        path: str,
        *,
        parameters: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> dict[str, Any]:
        query = f"?{urlencode(parameters)}" if parameters else ""
        data = None if body is None else json.dumps(body).encode()
        request = self._request(method, path + query, data, content_type="application/json")
        with self._open(request, REQUEST_SECONDS) as response:
            content = response.read()
        try:
            answer = json.loads(content)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise ApiError(f"{self.url}{path} did not answer with JSON; is that a spanloop collector?")
        return answer

    def _request(self, method: str, path: str, data: bytes | None, *, content_type: str) -> Request:
        request = Request(self.url + path, data=data, method=method)
        if data is not None:
            request.add_header("content-type", content_type)
        if self._key:
            request.add_header("authorization", f"Bearer {self._key}")
        return request

    def _open(self, request: Request, timeout: float) -> HTTPResponse:
        try:
            response: HTTPResponse = self._opener.open(request, timeout=timeout)
        except HTTPError as error:
            with error:
                raise _error_of(error) from None
        except (URLError, HTTPException, OSError) as error:
            reason = getattr(error, "reason", None) or error
            raise ApiError(f"no collector answers at {self.url} ({reason}); {_next_step(reason, self.url)}") from None
        return response


def local_admin_key(environment: Mapping[str, str] = os.environ) -> str | None:
    """The key that a collector on this machine made for its own command line; None when there is none."""
    named = environment.get("SPANLOOP_DATA_DIR")
    directory = Path(named).expanduser() if named else default_data_dir(environment)
    try:
        return (directory / ADMIN_KEY_FILE).read_text(encoding="utf-8").strip() or None
    except OSError:
        return None


def tls_context(environment: Mapping[str, str] = os.environ) -> ssl.SSLContext:
    """TLS as the instrumentation does it, from the same variables.

    `SPANLOOP_CERTIFICATE` names the authority that signed the collector's certificate; without it the system's
    count. `SPANLOOP_CLIENT_CERTIFICATE` and `SPANLOOP_CLIENT_KEY` are what a collector with mutual TLS asks for.
    """
    try:
        context = ssl.create_default_context(cafile=environment.get("SPANLOOP_CERTIFICATE") or None)
        if certificate := environment.get("SPANLOOP_CLIENT_CERTIFICATE"):
            context.load_cert_chain(certificate, environment.get("SPANLOOP_CLIENT_KEY") or None)
    except OSError as error:
        named = ", ".join(f"{name}={environment[name]}" for name in TLS_FILES if environment.get(name))
        raise ApiError(f"TLS files cannot be used: {error.strerror or error} ({named})") from None
    return context


def _next_step(reason: object, url: str) -> str:
    """What helps where there was no answer."""
    if isinstance(reason, ssl.SSLCertVerificationError):
        return "name the authority that signed its certificate in SPANLOOP_CERTIFICATE"
    if isinstance(reason, ssl.SSLError):
        return (
            "if it asks for a certificate, set SPANLOOP_CLIENT_CERTIFICATE and SPANLOOP_CLIENT_KEY; "
            "if it does not speak TLS, say http:// in --api-url or SPANLOOP_API_URL"
        )
    if isinstance(reason, BadStatusLine | ConnectionResetError) and url.startswith("http://"):
        return "if it speaks TLS, say https:// in --api-url or SPANLOOP_API_URL"
    return "start one with `spanloop serve`, or say where it is with --api-url or SPANLOOP_API_URL"


def _error_of(error: HTTPError) -> SpanloopError:
    text = error.read().decode(errors="replace").strip()
    hint = "; give a key with --api-key or SPANLOOP_API_KEY" if error.code == 401 else ""
    if code := error.headers.get("X-ClickHouse-Exception-Code"):
        return QueryError(text + hint, code=int(code))
    return ApiError((_message_of(text) or f"{error.code} {error.reason}") + hint, status=error.code)


def _message_of(text: str) -> str:
    try:
        body = json.loads(text)
    except ValueError:
        return text
    while isinstance(body, dict):
        body = body.get("message") or body.get("error")
    return body if isinstance(body, str) else text


def _read_pieces(response: HTTPResponse) -> Iterator[bytes]:
    """The result without the failure that ClickHouse may have written behind it; that is raised."""
    held, broken = b"", ""
    try:
        while piece := response.read1(STREAM_BYTES):
            held += piece
            if len(held) > HELD_BACK_BYTES:
                yield held[:-HELD_BACK_BYTES]
                held = held[-HELD_BACK_BYTES:]
    except (HTTPException, OSError) as error:
        # ClickHouse breaks off the transfer after the message of a failure, so look for that first.
        broken = f"the result broke off: {error}"
    result, failure = split_exception(held, tag=response.headers.get("X-ClickHouse-Exception-Tag", ""))
    if result:
        yield result[: result.rfind(b"\n") + 1] if failure or broken else result
    if failure:
        raise _query_error(failure)
    if broken:
        raise ApiError(broken)


def split_exception(content: bytes, *, tag: str) -> tuple[bytes, str]:
    """What came before a failure in the middle of a result, and the failure's text; empty without one."""
    opening = f"__exception__\r\n{tag}\r\n".encode()
    closing = f"{tag}\r\n__exception__\r\n".encode()
    start = content.rfind(opening, 0, len(content) - len(closing))
    if not tag or start < 0 or not content.endswith(closing):
        return content, ""
    message = content[start + len(opening) : -len(closing)].decode(errors="replace")
    return content[:start].removesuffix(b"\r\n"), message.rpartition("\n")[0].strip()


def _query_error(text: str) -> QueryError:
    code = re.match(r"Code: (\d+)\.", text)
    return QueryError(text, code=int(code[1]) if code else 0)
