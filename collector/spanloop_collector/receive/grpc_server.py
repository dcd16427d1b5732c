"""OTLP over gRPC: raw bytes in, acknowledged once they are on disk.

Requests are not deserialized by gRPC: the check at the door parses them its own way and gives better answers.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc  # type: ignore[import-untyped]  # ships no types
from grpc_health.v1.health import aio as health_aio  # type: ignore[import-untyped]  # ships no types
from grpc_reflection.v1alpha import reflection, reflection_pb2_grpc  # type: ignore[import-untyped]  # ships no types

from spanloop_collector.errors import SpanloopError, UnsupportedError
from spanloop_collector.intake import PROJECT_HEADER, Intake
from spanloop_collector.keys.principal import Principal, Scope
from spanloop_collector.receive.export import NO_METRICS, Authenticate, Export, InFlight, exports
from spanloop_collector.receive.http2 import Call, Http2Server
from spanloop_collector.receive.status import abort, answer_for
from spanloop_collector.receive.tls import tls_context
from spanloop_collector.settings import AuthSettings, ReceiveSettings

AddServices = Callable[[Http2Server], Sequence[str]]
"""Registers services with a server that is not started yet, and returns their full names."""

METRICS_METHOD = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"

logger = logging.getLogger(__name__)


class GrpcServer:
    """Listens for OTLP, health checks, reflection and the services that `add_services` brings."""

    def __init__(
        self,
        intake: Intake,
        *,
        receive: ReceiveSettings,
        auth: AuthSettings,
        authenticate: Authenticate,
        add_services: Sequence[AddServices] = (),
    ) -> None:
        self._receive = receive
        self._auth = auth
        self._door = _ExportDoor(
            exports(intake), authenticate=authenticate, in_flight=InFlight(receive.max_concurrent_requests)
        )
        self._add_services = add_services
        self._health = health_aio.HealthServicer()
        self._server: Http2Server | None = None
        self.port = 0
        """The port in use, once started."""

    async def start(self) -> None:
        """Begins to listen; raises ConfigError when the address cannot be had."""
        tls = tls_context(self._auth, protocol="h2")
        server = Http2Server(max_message_bytes=self._receive.max_message_bytes)
        server.add_generic_rpc_handlers((self._door,))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        names = [*self._door.service_names, health_pb2.DESCRIPTOR.services_by_name["Health"].full_name]
        for add in self._add_services:
            names.extend(add(server))
        reflected = reflection.aio.ReflectionServicer([*names, reflection.SERVICE_NAME])
        reflection_pb2_grpc.add_ServerReflectionServicer_to_server(reflected, server)
        for name in ("", *names):
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)
        self.port = await server.start("receive.grpc_address", self._receive.grpc_address, tls=tls)
        self._server = server
        logger.info("grpc: listening address=%s port=%d", self._receive.grpc_address, self.port)

    async def stop(self, *, grace_seconds: float) -> None:
        """Takes no new calls, lets those in flight end within the grace, then closes."""
        if self._server is None:
            return
        await self._health.enter_graceful_shutdown()
        await self._server.stop(grace_seconds=grace_seconds)
        self._server = None


class _ExportDoor(grpc.GenericRpcHandler):
    """Decides on each call when its headers are there, before its message is read."""

    def __init__(self, signals: Sequence[Export], *, authenticate: Authenticate, in_flight: InFlight) -> None:
        self._exports = {export.grpc_method: export for export in signals}
        self._authenticate = authenticate
        self._in_flight = in_flight
        self.service_names = [method.split("/")[1] for method in self._exports]

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler[Any, Any] | None:
        export = self._exports.get(handler_call_details.method)
        if export is None:
            return self._foreign(handler_call_details.method)
        headers = {key: value for key, value in handler_call_details.invocation_metadata if isinstance(value, str)}
        try:
            principal = self._authenticate(headers)
            principal.require(Scope.INGEST)
            self._in_flight.refuse_over_limit()
        except SpanloopError as error:
            return _refusal(error, export)
        handle = partial(self._export, export, principal, headers.get(PROJECT_HEADER, ""))
        return grpc.unary_unary_rpc_method_handler(handle)

    async def _export(
        self, export: Export, principal: Principal, default_project: str, payload: bytes, call: Call
    ) -> bytes:
        try:
            with self._in_flight.one_more():
                accepted = await export.accept(payload, principal=principal, default_project=default_project)
        except Exception as error:
            answer = answer_for(error)
            export.count(answer.code.name)
            await abort(call, answer)
        export.count("OK")
        return export.respond(accepted).SerializeToString()

    def _foreign(self, method: str) -> grpc.RpcMethodHandler[Any, Any] | None:
        """An answer that helps to those who send metrics; other methods are unknown here."""
        if method != METRICS_METHOD:
            return None
        return _refusal(UnsupportedError(NO_METRICS))


def _refusal(error: Exception, export: Export | None = None) -> grpc.RpcMethodHandler[Any, Any]:
    """Answers with the error. Declared as taking a stream, so that the message need not arrive first."""

    if export:
        export.count(answer_for(error).code.name)

    async def refuse(messages: object, call: Call) -> bytes:
        raise error

    return grpc.stream_unary_rpc_method_handler(refuse)
