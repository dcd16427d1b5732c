"""The door that closes behind an experiment: spans for one that is finished are refused, the others pass.

Production's spans pay one search for the attribute's name in the bytes of their request, which takes microseconds;
those of open experiments a second one for its values. Only requests with a finished experiment are taken apart.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ScopeSpans, Span

from spanloop_collector.errors import ConflictError
from spanloop_collector.experiments.contains import contains

ATTRIBUTE = "spanloop.experiment_id"
MARK = ATTRIBUTE.encode()
KNOWN_SECONDS = 2.0
"""How long an experiment that was open is taken to be open still: another collector may have finished it."""
MAX_KNOWN = 10_000

# The attribute as encoders write it: the key, then a value that is a text of less than 128 bytes.
_VALUE = re.compile(re.escape(MARK) + rb"\x12[\x02-\x7f]\x0a(?P<length>[\x00-\x7f])", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Passed:
    """What is left of a request."""

    payload: bytes
    rejected: int = 0
    reason: str = ""


class ExperimentDoor:
    """Knows which experiments are finished."""

    def __init__(self, read_finished: Callable[[set[str]], set[str]], *, now: Callable[[], float] = time.monotonic):
        """`read_finished` blocks, and says which of these ids are finished."""
        self._read_finished = read_finished
        self._now = now
        self._finished: set[str] = set()
        self._open_until: dict[str, float] = {}

    def close(self, experiment_id: str) -> None:
        """Refuses the experiment's rows from now on."""
        self._open_until.pop(experiment_id, None)
        self._finished.add(experiment_id)

    async def let_pass(self, payload: bytes) -> Passed:
        """The request without spans of finished experiments.

        Raises ConflictError when that leaves nothing.
        """
        if not contains(payload, MARK):
            return Passed(payload)
        finished = await self._finished_among(experiment_ids(payload))
        return await asyncio.to_thread(_without, payload, finished) if finished else Passed(payload)

    async def _finished_among(self, ids: set[str]) -> set[str]:
        now = self._now()
        unknown = {id for id in ids - self._finished if self._open_until.get(id, 0.0) < now}
        if unknown:
            found = await asyncio.to_thread(self._read_finished, unknown)
            self._finished |= found
            if len(self._open_until) > MAX_KNOWN:
                self._open_until.clear()
            self._open_until |= {id: now + KNOWN_SECONDS for id in unknown - self._finished}
        return ids & self._finished


def experiment_ids(payload: bytes) -> set[str]:
    """The experiments that spans of a request belong to."""
    found = list(_VALUE.finditer(payload))
    if len(found) != payload.count(MARK):  # an unusual encoding, or somebody's text about the attribute
        return {id for span in _spans(ExportTraceServiceRequest.FromString(payload)) if (id := _experiment_of(span))}
    values = {payload[match.end() : match.end() + match["length"][0]] for match in found}
    return {value.decode(errors="replace") for value in values if value}


def _without(payload: bytes, finished: set[str]) -> Passed:
    request = ExportTraceServiceRequest.FromString(payload)
    rejected = 0
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            rejected += _cut(scope, finished)
    reason = (
        f"attributes.{ATTRIBUTE}: experiment {', '.join(sorted(finished))} is finished and takes no more rows; "
        "scores may still be added to it"
    )
    if rejected and next(_spans(request), None) is None:
        raise ConflictError(reason)
    return Passed(request.SerializeToString(), rejected, reason) if rejected else Passed(payload)


def _cut(scope: ScopeSpans, finished: set[str]) -> int:
    kept = [span for span in scope.spans if _experiment_of(span) not in finished]
    rejected = len(scope.spans) - len(kept)
    if rejected:
        del scope.spans[:]
        scope.spans.extend(kept)
    return rejected


def _spans(request: ExportTraceServiceRequest) -> Iterator[Span]:
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            yield from scope.spans


def _experiment_of(span: Span) -> str:
    for attribute in span.attributes:
        if attribute.key == ATTRIBUTE:
            return str(attribute.value.string_value)
    return ""
