"""The one way in: a request of any transport is checked, stamped, and durable when `accept_…` returns.

Used by OTLP over gRPC, OTLP over HTTP and the API's rows alike.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from spanloop_collector.errors import InvalidRequestError
from spanloop_collector.experiments.door import ExperimentDoor
from spanloop_collector.keys.principal import Principal, Scope
from spanloop_collector.receive.check import LARGE_BYTES, Checked, check, check_whole
from spanloop_collector.receive.shape import LOG_RECORDS, SPANS, Shape
from spanloop_collector.receive.stamp import ReceivedClock, stamp
from spanloop_collector.spool import Spool
from spanloop_collector.telemetry import ACKNOWLEDGE_SECONDS, ITEMS_ACCEPTED, ITEMS_REJECTED

MAX_PROJECT_BYTES = 200
PROJECT_HEADER = "x-spanloop-project"


@dataclass(frozen=True, slots=True)
class Accepted:
    """A request that is stored, without the items that were refused."""

    rejected: int = 0
    """Spans or log records that were not stored."""
    reason: str = ""
    """Why the first of them was not; names its field."""


class Intake:
    """Takes requests into the spools."""

    def __init__(
        self,
        *,
        traces: Spool,
        logs: Spool,
        default_project: str,
        experiments: ExperimentDoor | None = None,
        now: Callable[[], int] = time.time_ns,
    ) -> None:
        """`experiments` keeps spans out of experiments that are finished; None lets all pass."""
        self._traces = _Door("traces", SPANS, traces)
        self._logs = _Door("logs", LOG_RECORDS, logs)
        self._default_project = default_project
        self.experiments = experiments
        self._received = ReceivedClock(now)

    async def accept_traces(self, payload: bytes, *, principal: Principal, default_project: str = "") -> Accepted:
        """Stores the bytes of an ExportTraceServiceRequest; see `accept_logs` for what it may raise."""
        if self.experiments is None:
            return await self._accept(self._traces, payload, principal, default_project)
        passed = await self.experiments.let_pass(payload)
        accepted = await self._accept(self._traces, passed.payload, principal, default_project)
        if not passed.rejected:
            return accepted
        return Accepted(accepted.rejected + passed.rejected, accepted.reason or passed.reason)

    async def accept_logs(self, payload: bytes, *, principal: Principal, default_project: str = "") -> Accepted:
        """Stores the bytes of an ExportLogsServiceRequest.

        `default_project` is where items go that name no project; empty takes the collector's default.
        Raises PermissionDeniedError without the scope `ingest`, InvalidRequestError when nothing of the
        request can be kept, TooLargeError, and RetryableError when the spool is full or the disk fails.
        """
        return await self._accept(self._logs, payload, principal, default_project)

    async def _accept(self, door: _Door, payload: bytes, principal: Principal, default_project: str) -> Accepted:
        principal.require(Scope.INGEST)
        check_project(default_project)
        started = time.perf_counter()
        checked = await _check(payload, door.shape)
        if checked.item_count:
            pieces = stamp(
                checked.payload,
                project=principal.project,
                default_project=default_project or self._default_project,
                received_unix_nano=self._received(),
            )
            await door.spool.append(pieces, item_count=checked.item_count, flags=checked.flags)
        door.count(checked, seconds=time.perf_counter() - started)
        return Accepted(checked.rejected, checked.reason)


class _Door:
    """One signal's shape, spool and counters."""

    def __init__(self, signal: str, shape: Shape, spool: Spool) -> None:
        self.shape = shape
        self.spool = spool
        self._accepted = ITEMS_ACCEPTED.labels(signal)
        self._rejected = ITEMS_REJECTED.labels(signal)
        self._seconds = ACKNOWLEDGE_SECONDS.labels(signal)

    def count(self, checked: Checked, *, seconds: float) -> None:
        self._accepted.inc(checked.item_count)
        self._rejected.inc(checked.rejected)
        self._seconds.observe(seconds)


async def _check(payload: bytes, shape: Shape) -> Checked:
    """Checks here what is quick to check; large or bad requests must not hold up the others."""
    checked = check_whole(payload, shape) if len(payload) <= LARGE_BYTES else None
    if checked is None:
        checked = await asyncio.to_thread(check, payload, shape)
    return checked


def check_project(project: str) -> None:
    """Raises InvalidRequestError for a name that no project can have."""
    if len(project.encode()) > MAX_PROJECT_BYTES or not (project.isprintable() or not project):
        raise InvalidRequestError(
            f"{PROJECT_HEADER} is {project[:50]!r}; expected at most {MAX_PROJECT_BYTES} printable bytes",
            field=PROJECT_HEADER,
        )
