"""OTLP over HTTP: `/v1/traces` and `/v1/logs`, protobuf or JSON, plain or gzip."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import grpc
from google.protobuf import json_format
from google.protobuf.message import Message
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from spanloop_collector.errors import NotFoundError, UnsupportedError
from spanloop_collector.intake import PROJECT_HEADER, Accepted, Intake
from spanloop_collector.keys.principal import Scope
from spanloop_collector.receive.export import NO_METRICS, Authenticate, Export, InFlight, exports
from spanloop_collector.receive.http_body import read_body
from spanloop_collector.receive.otlp_json import to_protobuf
from spanloop_collector.receive.status import Answer, answer_for
from spanloop_collector.settings import ReceiveSettings

PROTOBUF = "application/x-protobuf"
JSON = "application/json"


def otlp_app(intake: Intake, *, receive: ReceiveSettings, authenticate: Authenticate) -> Starlette:
    """The application for the OTLP/HTTP port."""
    in_flight = InFlight(receive.max_concurrent_requests)
    routes = [
        Route(
            export.http_path,
            _Endpoint(export, receive=receive, authenticate=authenticate, in_flight=in_flight).handle,
            methods=["POST"],
        )
        for export in exports(intake)
    ]
    routes.append(Route("/v1/metrics", _refuse_metrics, methods=["POST"]))
    return Starlette(routes=routes, exception_handlers={HTTPException: _refuse_route})


class _Endpoint:
    """One signal's path."""

    def __init__(
        self,
        export: Export,
        *,
        receive: ReceiveSettings,
        authenticate: Authenticate,
        in_flight: InFlight,
    ) -> None:
        self._export = export
        self._max_bytes = receive.max_message_bytes
        self._authenticate = authenticate
        self._in_flight = in_flight

    async def handle(self, request: Request) -> Response:
        """Answers one export call."""
        try:
            accepted = await self._accept(request)
        except Exception as error:
            answer = answer_for(error)
            self._export.count(answer.code.name)
            return _refuse(request, answer)
        self._export.count("OK")
        return _respond(request, self._export.respond(accepted))

    async def _accept(self, request: Request) -> Accepted:
        """Stores the request; who sends it is settled before its body is read."""
        principal = self._authenticate(request.headers)
        principal.require(Scope.INGEST)
        is_json = _is_json(request)
        self._in_flight.refuse_over_limit()
        with self._in_flight.one_more():
            payload = await read_body(request, max_bytes=self._max_bytes)
            if is_json:
                payload = await asyncio.to_thread(to_protobuf, payload, self._export.request)
            return await self._export.accept(
                payload, principal=principal, default_project=request.headers.get(PROJECT_HEADER, "")
            )


def _is_json(request: Request) -> bool:
    """Whether the body is JSON rather than protobuf; raises UnsupportedError when it is neither."""
    content_type = _content_type(request)
    if content_type not in (PROTOBUF, JSON):
        raise UnsupportedError(f"content-type {content_type!r} is not supported; send {PROTOBUF} or {JSON}")
    return content_type == JSON


def _content_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _respond(
    request: Request, message: Message, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """The message in the encoding of the request; JSON to those who sent neither."""
    if _content_type(request) == PROTOBUF:
        return Response(message.SerializeToString(), status, headers, media_type=PROTOBUF)
    return Response(json_format.MessageToJson(message, indent=None), status, headers, media_type=JSON)


def _refuse(request: Request, answer: Answer, headers: Mapping[str, str] | None = None) -> Response:
    all_headers = {**answer.http_headers(), **(headers or {})}
    return _respond(request, answer.status(), status=answer.http_status, headers=all_headers)


async def _refuse_metrics(request: Request) -> Response:
    return _refuse(request, answer_for(NotFoundError(NO_METRICS)))


async def _refuse_route(request: Request, error: Exception) -> Response:
    """404 and 405 in OTLP's form."""
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        message = f"{request.method} {request.url.path} is not OTLP; send POST"
        answer = Answer(code=grpc.StatusCode.UNIMPLEMENTED, http_status=405, message=message)
    else:
        message = f"{request.url.path} does not exist; OTLP is at /v1/traces and /v1/logs"
        answer = answer_for(NotFoundError(message))
    return _refuse(request, answer, error.headers)
