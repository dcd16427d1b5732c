"""SQL over ClickHouse's HTTP protocol: its clients and drivers work as they do with a ClickHouse server.

Authentication is an API key, as password or bearer token. The user's name does not matter.
"""

from __future__ import annotations

import asyncio
import json

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from spanloop_collector.api.waiting import while_connected
from spanloop_collector.errors import (
    PermissionDeniedError,
    QueryError,
    RetryableError,
    SpanloopError,
    UnauthenticatedError,
)
from spanloop_collector.keys.authenticator import Authenticator
from spanloop_collector.query.compression import choose_encoding, encode
from spanloop_collector.query.formats import DEFAULT_FORMAT, content_type, known_format
from spanloop_collector.query.queries import Queries, Result
from spanloop_collector.query.refusal import refuse
from spanloop_collector.query.request import SqlRequest, read_request

ABOUT = """\
spanloop collector

Page: open this address in a browser.
SQL: send a SELECT here as ClickHouse's HTTP interface takes it, for example
     curl 'http://127.0.0.1:7411/?query=SELECT+count()+FROM+logs'
API: /v1/…    Metrics: /metrics    Health: /healthz
"""

SERVER_NAME = "spanloop"
ENCODE_IN_THREAD_BYTES = 256 * 1024

# What ClickHouse answers to its own errors; any other code is 500.
HTTP_STATUS_BY_CODE = {
    36: 400,  # BAD_ARGUMENTS
    43: 400,  # ILLEGAL_TYPE_OF_ARGUMENT
    46: 404,  # UNKNOWN_FUNCTION
    47: 404,  # UNKNOWN_IDENTIFIER
    53: 400,  # TYPE_MISMATCH
    60: 404,  # UNKNOWN_TABLE
    62: 400,  # SYNTAX_ERROR
    73: 404,  # UNKNOWN_FORMAT
    81: 404,  # UNKNOWN_DATABASE
    115: 404,  # UNKNOWN_SETTING
    159: 408,  # TIMEOUT_EXCEEDED
    164: 403,  # READONLY
    202: 429,  # TOO_MANY_SIMULTANEOUS_QUERIES
    210: 503,  # NETWORK_ERROR
    452: 400,  # SETTING_CONSTRAINT_VIOLATION
    456: 400,  # UNKNOWN_QUERY_PARAMETER
    497: 403,  # ACCESS_DENIED
    516: 401,  # AUTHENTICATION_FAILED
}


class SqlEndpoint:
    """The handler of `/`."""

    def __init__(self, queries: Queries, authenticator: Authenticator, *, database: str) -> None:
        self._queries = queries
        self._authenticator = authenticator
        self._database = database

    async def __call__(self, request: Request) -> Response:
        """The result of the statement in the request, or ClickHouse's error."""
        try:
            principal = self._authenticator.authenticate(credentials(request))
            sent = await read_request(request)
            if not sent.sql.strip() and request.method in ("GET", "HEAD"):
                return PlainTextResponse(ABOUT)
            self._check_database(sent.database)
            running = self._queries.run(
                sent.sql,
                principal=principal,
                parameters=sent.parameters,
                settings=sent.settings,
                default_format=known_format(sent.default_format or DEFAULT_FORMAT),
            )
            result = await while_connected(request, running)
        except SpanloopError as error:
            return error_response(error)
        return await _respond(request, sent, result)

    def _check_database(self, name: str) -> None:
        # Tools that ask for a database have `default` filled in.
        if name not in ("", "default", self._database):
            raise refuse("UNKNOWN_DATABASE", f"Database {name} does not exist; there is {self._database}")


def credentials(request: Request) -> dict[str, str]:
    """The request's headers, with the key of the query string where ClickHouse clients may put it."""
    headers = dict(request.headers)
    password = request.query_params.get("password")
    if password and "authorization" not in headers:
        headers["x-clickhouse-key"] = password
    return headers


def error_response(error: SpanloopError) -> Response:
    """The error as ClickHouse would answer it."""
    failure = as_query_error(error)
    headers = {
        "X-ClickHouse-Exception-Code": str(failure.code),
        "X-ClickHouse-Server-Display-Name": SERVER_NAME,
    }
    if isinstance(error, UnauthenticatedError):
        headers["WWW-Authenticate"] = 'Basic realm="spanloop: an API key as password"'
    status = HTTP_STATUS_BY_CODE.get(failure.code, 500)
    return PlainTextResponse(f"Code: {failure.code}. DB::Exception: {failure}\n", status, headers)


def as_query_error(error: SpanloopError) -> QueryError:
    """Any of our errors under the ClickHouse code that says the same."""
    if isinstance(error, QueryError):
        return error
    if isinstance(error, UnauthenticatedError):
        return refuse("AUTHENTICATION_FAILED", str(error))
    if isinstance(error, PermissionDeniedError):
        return refuse("ACCESS_DENIED", str(error))
    if isinstance(error, RetryableError):
        return refuse("NETWORK_ERROR", str(error))
    return refuse("BAD_ARGUMENTS", str(error))


async def _respond(request: Request, sent: SqlRequest, result: Result) -> Response:
    wants_compression = sent.settings.get("enable_http_compression", "") in ("1", "true")
    encoding = choose_encoding(request.headers.get("accept-encoding", "")) if wants_compression else ""
    headers = {
        "X-ClickHouse-Format": result.format,
        "X-ClickHouse-Query-Id": sent.query_id,
        "X-ClickHouse-Server-Display-Name": SERVER_NAME,
        "X-ClickHouse-Summary": _summary(result),
        "X-ClickHouse-Timezone": result.timezone,
    }
    data = result.data
    if encoding and data:
        headers["Content-Encoding"] = encoding
        is_large = len(data) > ENCODE_IN_THREAD_BYTES
        data = await asyncio.to_thread(encode, data, encoding) if is_large else encode(data, encoding)
    return Response(data, headers=headers, media_type=content_type(result.format))


def _summary(result: Result) -> str:
    """What ClickHouse clients keep as the summary of a query; numbers are strings there."""
    return json.dumps({"result_bytes": str(len(result.data)), "elapsed_ns": str(result.elapsed_ns)})
