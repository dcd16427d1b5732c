"""Every operation of the contract with the function that carries it out: what both transports serve.

Names, paths and scopes come from the .proto files; an operation without a function stops the start.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, cast

from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from spanloop.v1 import (
    alerts_pb2,
    annotations_pb2,
    attachments_pb2,
    datasets_pb2,
    dead_letters_pb2,
    experiments_pb2,
    keys_pb2,
    playground_pb2,
    promote_pb2,
    query_pb2,
    review_pb2,
    rows_pb2,
    rules_pb2,
    scoring_pb2,
    status_pb2,
    variants_pb2,
    views_pb2,
)

from spanloop_collector.api.json_codec import Problem
from spanloop_collector.api.waiting import finished
from spanloop_collector.keys.principal import Principal, Scope

MODULES = (
    rows_pb2,
    query_pb2,
    keys_pb2,
    status_pb2,
    dead_letters_pb2,
    attachments_pb2,
    review_pb2,
    alerts_pb2,
    variants_pb2,
    datasets_pb2,
    promote_pb2,
    experiments_pb2,
    rules_pb2,
    scoring_pb2,
    views_pb2,
    playground_pb2,
)

SCOPES = {
    annotations_pb2.SCOPE_INGEST: Scope.INGEST,
    annotations_pb2.SCOPE_READ: Scope.READ,
    annotations_pb2.SCOPE_ADMIN: Scope.ADMIN,
}


@dataclass(frozen=True, slots=True)
class Call:
    """Who calls an operation, and what was wrong with the request beside what could be read of it."""

    principal: Principal
    problems: Sequence[Problem] = ()

    def project(self, named: str, default: str = "") -> str:
        """The project that the request names, else the key's own, else the default; '' for none, which is all.

        Raises PermissionDeniedError for one that the key does not reach.
        """
        project = named or self.principal.project or default
        self.principal.require_project(project)
        return project


Run = Callable[[Any, Call], Coroutine[Any, Any, Message]]
RunStream = Callable[[Any, Call], AsyncGenerator[Message]]


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one service."""

    service: str
    """Full name of the service."""
    name: str
    request_type: type[Message]
    verb: str
    path: str
    """Over HTTP; `{name}` fills the request's field of that name."""
    scope: Scope | None
    """What the caller needs; None for any valid key."""
    is_stream: bool
    """True when it answers with many messages; it ends with its caller."""
    ends_with_caller: bool
    """True when it ends where its caller hangs up; others go on to their end."""
    answers_by_item: bool
    """True when a problem costs the item that has it; of others, it costs the request."""
    function: Run | RunStream = field(repr=False)

    async def call(self, request: Message, call: Call) -> Message:
        """The answer of an operation that gives one."""
        self._admit(call)
        answer = cast(Run, self.function)(request, call)
        return await (answer if self.ends_with_caller else finished(answer))

    async def stream(self, request: Message, call: Call) -> AsyncGenerator[Message]:
        """The answers of an operation that gives many."""
        self._admit(call)
        async with aclosing(cast(RunStream, self.function)(request, call)) as answers:
            async for answer in answers:
                yield answer

    def _admit(self, call: Call) -> None:
        if self.scope is not None:
            call.principal.require(self.scope)
        if call.problems and not self.answers_by_item:
            raise call.problems[0].error()


def list_operations(implementations: Mapping[str, object]) -> list[Operation]:
    """The operations of every service; `implementations` has, by service, an object with its methods."""
    return [
        operation_of(method, implementations[name])
        for module in MODULES
        for name, service in module.DESCRIPTOR.services_by_name.items()
        for method in service.methods
    ]


def operation_of(method: MethodDescriptor, implementation: object) -> Operation:
    """One method with the function of that name, in snake_case; raises AttributeError where there is none."""
    options: Any = method.GetOptions().Extensions
    verb, path = options[annotations_pb2.http].split(" ")
    return Operation(
        service=method.containing_service.full_name,
        name=method.name,
        request_type=GetMessageClass(method.input_type),
        verb=verb,
        path=path,
        scope=SCOPES.get(options[annotations_pb2.scope]),
        is_stream=method.server_streaming,
        ends_with_caller=method.server_streaming or options[annotations_pb2.ends_with_caller],
        answers_by_item=options[annotations_pb2.answers_by_item],
        function=getattr(implementation, _snake_case(method.name)),
    )


def _snake_case(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
