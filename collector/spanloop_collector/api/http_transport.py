"""The contract as JSON over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Any

from google.protobuf.message import Message
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from spanloop_collector.api.json_codec import Problem, decode, encode, parse_json, write_json
from spanloop_collector.api.operations import Call, Operation
from spanloop_collector.api.waiting import while_connected
from spanloop_collector.errors import InvalidRequestError, TooLargeError, UnsupportedError
from spanloop_collector.keys.authenticator import Authenticator
from spanloop_collector.receive.status import answer_for

JSON_TYPE = "application/json"
READ_IN_THREAD_BYTES = 256 * 1024

# Of streams: the bytes of a statement's result, or one message a line.
BYTES_TYPE = "application/octet-stream"
LINES_TYPE = "application/x-ndjson"
LINE_ENDS = str.maketrans("\r\n", "  ")


def routes_of(operations: Sequence[Operation], authenticator: Authenticator, *, max_body_bytes: int) -> list[Route]:
    """One route for each operation."""
    return [
        Route(operation.path, _endpoint(operation, authenticator, max_body_bytes), methods=[operation.verb])
        for operation in operations
    ]


def _endpoint(
    operation: Operation, authenticator: Authenticator, max_body_bytes: int
) -> Callable[[Request], Awaitable[Response]]:
    async def handle(request: Request) -> Response:
        try:
            principal = authenticator.authenticate(dict(request.headers))
            message, problems = await _read_message(request, operation, max_body_bytes)
            call = Call(principal, problems)
            if operation.is_stream:
                return await _stream(request, operation.stream(message, call))
            answer = encode(await while_connected(request, operation.call(message, call)))
            return Response(answer, media_type=JSON_TYPE)
        except Exception as error:
            return error_response(error)

    return handle


def error_response(error: Exception) -> Response:
    """Any error as `{"error": {"code", "message", "field"}}` under the status of the table."""
    answer = answer_for(error)
    body = {"error": {"code": answer.code.name, "message": answer.message, "field": answer.field}}
    return Response(write_json(body), answer.http_status, answer.http_headers(), media_type=JSON_TYPE)


async def _read_message(request: Request, operation: Operation, max_bytes: int) -> tuple[Message, list[Problem]]:
    """The request's message from body or query string, and from its path."""
    body = await _read_body(request, max_bytes) if operation.verb == "POST" else None
    given = {**request.query_params, **request.path_params} if body is None else dict(request.path_params)

    def read() -> tuple[Message, list[Problem]]:
        message = operation.request_type()
        value = _parse_body(body) if body else {}
        return message, decode(message, {**value, **given} if isinstance(value, dict) else value)

    # Other requests must not wait for a large one to be read.
    return await asyncio.to_thread(read) if body and len(body) > READ_IN_THREAD_BYTES else read()


async def _read_body(request: Request, max_bytes: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_bytes:
            raise TooLargeError(f"the request is larger than {max_bytes} bytes; send fewer rows at a time")
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    # Also without any: a foreign web page can send such requests from a browser on this machine.
    if body and content_type != JSON_TYPE:
        raise UnsupportedError(f"content-type {content_type!r} is not spoken here; send {JSON_TYPE}")
    return bytes(body)


def _parse_body(body: bytes) -> Any:
    try:
        return parse_json(body)
    except ValueError as error:
        raise InvalidRequestError(f"the body is not JSON: {error}") from None


async def _stream(request: Request, answers: AsyncGenerator[Message]) -> Response:
    """Every answer, one after the other. A failure before the first is an error like any other."""
    first = await while_connected(request, anext(answers, None))

    async def pieces() -> AsyncIterator[bytes]:
        async with aclosing(answers):
            if first is not None:
                yield _piece(first)
            async for answer in answers:
                yield _piece(answer)

    has_lines = first is not None and not _has_bytes(first)
    return StreamingResponse(pieces(), media_type=LINES_TYPE if has_lines else BYTES_TYPE)


def _has_bytes(answer: Message) -> bool:
    return "data" in answer.DESCRIPTOR.fields_by_name


def _piece(answer: Message) -> bytes:
    if _has_bytes(answer):
        data: bytes = answer.data  # type: ignore[attr-defined]  # asked for above
        return data
    # In JSON, line ends stand between values only.
    return f"{encode(answer).translate(LINE_ENDS)}\n".encode()
