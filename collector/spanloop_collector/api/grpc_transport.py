"""The contract over gRPC, beside OTLP on the same port. What a handler raises, the server answers by our table."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from itertools import groupby
from typing import Any

import grpc
from google.protobuf.message import DecodeError, Message

from spanloop_collector.api.operations import Call, Operation
from spanloop_collector.errors import InvalidRequestError
from spanloop_collector.keys.authenticator import Authenticator
from spanloop_collector.keys.principal import Principal
from spanloop_collector.receive.http2 import Call as Context
from spanloop_collector.receive.http2 import Http2Server


def add_operations(server: Http2Server, operations: Sequence[Operation], authenticator: Authenticator) -> list[str]:
    """Serves the operations; returns the names of their services, for reflection."""
    names = []
    for service, methods in groupby(operations, key=lambda operation: operation.service):
        handlers = {operation.name: _handler(operation, authenticator) for operation in methods}
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
        names.append(service)
    return names


def _handler(operation: Operation, authenticator: Authenticator) -> grpc.RpcMethodHandler[Any, Any]:
    # Bytes come in unread: the key is checked first, and malformed ones get a message of ours.
    if operation.is_stream:
        return grpc.unary_stream_rpc_method_handler(_stream(operation, authenticator), response_serializer=_serialize)
    return grpc.unary_unary_rpc_method_handler(_unary(operation, authenticator), response_serializer=_serialize)


def _unary(operation: Operation, authenticator: Authenticator) -> Callable[[bytes, Context], Any]:
    async def handle(payload: bytes, context: Context) -> Message:
        call = Call(_authenticate(authenticator, context))
        return await operation.call(_parse(operation, payload), call)

    return handle


def _stream(operation: Operation, authenticator: Authenticator) -> Callable[[bytes, Context], Any]:
    async def handle(payload: bytes, context: Context) -> AsyncIterator[Message]:
        call = Call(_authenticate(authenticator, context))
        async with aclosing(operation.stream(_parse(operation, payload), call)) as answers:
            async for answer in answers:
                yield answer

    return handle


def _authenticate(authenticator: Authenticator, context: Context) -> Principal:
    return authenticator.authenticate(dict(context.invocation_metadata()))


def _parse(operation: Operation, payload: bytes) -> Message:
    try:
        return operation.request_type.FromString(payload)
    except DecodeError as error:
        name = operation.request_type.DESCRIPTOR.full_name
        raise InvalidRequestError(f"the request is not a {name}: {error}") from None


def _serialize(message: Message) -> bytes:
    return message.SerializeToString()
