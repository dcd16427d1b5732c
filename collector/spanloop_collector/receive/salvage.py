"""Cuts the bad items out of a request, so that they cost nothing but themselves.

This is the slow path, taken by requests that the check refused as a whole. It takes the request apart by
lengths, puts each part to the same check, and puts the good ones together again, byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import DecodeError
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from spanloop_collector.errors import InvalidRequestError
from spanloop_collector.receive.items import log_record_problem, span_problem
from spanloop_collector.receive.locate import find_bad_text
from spanloop_collector.receive.shape import ITEMS, RESOURCES, SCOPES, SPANS, Shape
from spanloop_collector.receive.wire import WireError, put_in, take_out

Problem = tuple[str, str]
"""Field below the part that was checked (empty: the part itself), and what is wrong with it."""


@dataclass(slots=True)
class Salvage:
    """What is left of a request, and what was wrong with the rest."""

    payload: bytes = b""
    rejected: int = 0
    """Items that were cut out."""
    field: str = ""
    """Path of the first wrong field."""
    reason: str = ""
    """What is wrong with it."""


def salvage(payload: bytes, shape: Shape) -> Salvage:
    """The request without its bad items.

    Raises InvalidRequestError when the bytes do not even show where items begin and end.
    """
    return _Cutter(shape).cut_request(payload)


class _Cutter:
    """Walks down one request and remembers what it cut out."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._saved = Salvage()
        is_span = shape is SPANS
        self._item_problem: Any = span_problem if is_span else log_record_problem
        types: tuple[type[Any], ...] = (
            (ResourceSpans, ScopeSpans, Span) if is_span else (ResourceLogs, ScopeLogs, LogRecord)
        )
        self._descriptors: list[Descriptor] = [message.DESCRIPTOR for message in types]

    def cut_request(self, payload: bytes) -> Salvage:
        _, resources = self._split(payload, RESOURCES, path=self._shape.resources_name)
        kept = []
        for i, resource in enumerate(resources):
            good = self._cut_resource(resource, path=f"{self._shape.resources_name}[{i}]")
            if good is not None:
                kept.append(good)
        self._saved.payload = put_in(b"", RESOURCES, kept)
        return self._saved

    def _cut_resource(self, resource: bytes, *, path: str) -> bytes | None:
        """The resource with its good items; None when it is bad itself."""
        shell, scopes = self._split(resource, SCOPES, path=path)
        if problem := self._resource_problem(shell):
            self._reject(sum(len(self._split(scope, ITEMS, path=path)[1]) for scope in scopes), path, problem)
            return None
        kept = []
        for i, scope in enumerate(scopes):
            good = self._cut_scope(scope, path=f"{path}.{self._shape.scopes_name}[{i}]")
            if good is not None:
                kept.append(good)
        return put_in(shell, SCOPES, kept)

    def _cut_scope(self, scope: bytes, *, path: str) -> bytes | None:
        """The scope with its good items; None when it is bad itself."""
        shell, items = self._split(scope, ITEMS, path=path)
        if problem := self._part_problem(shell, level=1):
            self._reject(len(items), path, problem)
            return None
        kept = []
        for i, (item, problem) in enumerate(zip(items, self._item_problems(scope, items), strict=True)):
            if problem:
                self._reject(1, f"{path}.{self._shape.items_name}[{i}]", problem)
            else:
                kept.append(item)
        return put_in(shell, ITEMS, kept)

    def _item_problems(self, scope: bytes, items: Sequence[bytes]) -> Iterator[Problem | None]:
        """What is wrong with each item, parsed together when that is possible."""
        try:
            parsed: Any = self._parse(scope, level=1)
        except DecodeError:
            return (self._part_problem(item, level=2) for item in items)
        return map(self._item_problem, parsed.resources[0].scopes[0].items)

    def _resource_problem(self, shell: bytes) -> Problem | None:
        if problem := self._part_problem(shell, level=0):
            return problem
        parsed: Any = self._parse(shell, level=0)
        if parsed.resources[0].HasField("stamp"):
            return "spanloop_stamp", "is written by the collector; remove field 15000"
        return None

    def _part_problem(self, part: bytes, *, level: int) -> Problem | None:
        """What is wrong with a resource (level 0), a scope (1) or an item (2)."""
        try:
            parsed: Any = self._parse(part, level=level)
        except DecodeError as error:
            return _decode_problem(error, part, self._descriptors[level])
        if level < 2:
            return None
        problem: Problem | None = self._item_problem(parsed.resources[0].scopes[0].items[0])
        return problem

    def _parse(self, part: bytes, *, level: int) -> object:
        """The part inside an otherwise empty request, so that depth counts as it does in the whole one."""
        for number in (ITEMS, SCOPES)[2 - level :]:
            part = put_in(b"", number, [part])
        return self._shape.request.FromString(put_in(b"", RESOURCES, [part]))

    def _split(self, message: bytes, number: int, *, path: str) -> tuple[bytes, list[bytes]]:
        """The message without its children of that field number, and the children."""
        try:
            return take_out(message, number)
        except WireError as error:
            raise InvalidRequestError(f"not a valid {self._shape.request_name}: {path}: {error}", field=path) from error

    def _reject(self, count: int, path: str, problem: Problem) -> None:
        saved = self._saved
        if not saved.reason:
            saved.field = f"{path}.{problem[0]}" if problem[0] else path
            saved.reason = f"{saved.field} {problem[1]}"
        saved.rejected += count


def _decode_problem(error: DecodeError, part: bytes, descriptor: Descriptor) -> Problem:
    if "UTF-8" in str(error):
        return find_bad_text(part, descriptor) or ("", "holds text that is not UTF-8")
    if "MaxDepth" in str(error):
        return "", "is nested deeper than the 100 messages that protobuf allows"
    return "", "is not valid protobuf: wire format was corrupt"
