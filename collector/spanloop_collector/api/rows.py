"""RowService: rows written, merged and rated. Whatever changes, the whole row goes the way of an OTLP span.

A bad row gets an error of its own that names the field, and the good rows beside it are stored. The call fails as a
whole only when not one of its rows could be stored.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, Protocol

from spanloop.v1 import rows_pb2

from spanloop_collector.api.operations import Call
from spanloop_collector.api.row import RowIds, StoredRow
from spanloop_collector.api.row_ids import choose_ids
from spanloop_collector.api.row_input import RowInput
from spanloop_collector.api.row_locks import KeyedLocks
from spanloop_collector.api.row_merge import merge_row, without_nulls
from spanloop_collector.api.row_requests import Outcome, RowKey, read_feedback, read_items, read_written_row
from spanloop_collector.api.row_span import write_request
from spanloop_collector.errors import InvalidRequestError, PermanentError, invalid
from spanloop_collector.keys.principal import Principal
from spanloop_collector.words import counted


class RowReader(Protocol):
    """Finds rows that exist; blocks."""

    def find(self, project: str, ids: Sequence[str]) -> dict[str, StoredRow]: ...


class Acceptance(Protocol):
    """What the intake says about a request."""

    @property
    def rejected(self) -> int: ...

    @property
    def reason(self) -> str: ...


class TraceIntake(Protocol):
    """Where spans are taken; they are on disk when it returns."""

    async def accept_traces(self, payload: bytes, *, principal: Principal) -> Acceptance: ...


class Rows:
    """The operations of RowService."""

    def __init__(
        self,
        *,
        intake: TraceIntake,
        reader: RowReader,
        barrier: Callable[[], Awaitable[None]],
        default_project: str,
        now: Callable[[], int] = time.time_ns,
    ) -> None:
        self._intake = intake
        self._reader = reader
        self._barrier = barrier
        self._default_project = default_project
        self._now = now
        self._locks = KeyedLocks()

    async def write_rows(self, request: rows_pb2.WriteRowsRequest, call: Call) -> rows_pb2.WriteRowsResponse:
        """Stores whole rows; one whose id exists is replaced and keeps its place in time."""
        outcomes = await self._read(request.rows, request.project, call)
        looked_up = {o.key for o in outcomes if o.input and o.input.start_unix_nano is None}
        return await self._change(outcomes, looked_up, self._replace, call)

    async def merge_rows(self, request: rows_pb2.MergeRowsRequest, call: Call) -> rows_pb2.WriteRowsResponse:
        """Merges partial rows into those of the same ids; what does not exist is created."""
        outcomes = await self._read(request.rows, request.project, call)
        for outcome in outcomes:
            if outcome.input and not outcome.input.id:
                outcome.error = invalid(f"{outcome.input.path}.id", "a merge needs the id of its row")
            elif outcome.input and outcome.input.experiment_id:
                path = f"{outcome.input.path}.experiment_id"
                outcome.error = invalid(path, "rows of an experiment are written whole, with WriteRows")
        return await self._change(outcomes, {o.key for o in outcomes}, self._merge, call)

    async def feedback(self, request: rows_pb2.FeedbackRequest, call: Call) -> rows_pb2.WriteRowsResponse:
        """Adds scores, an expected value, a comment or tags to rows that exist."""
        project = self._project(request.project, call)
        outcomes = await asyncio.to_thread(read_items, "items", request.items, read_feedback, project, call.problems)
        _check_projects(outcomes, call)
        return await self._change(outcomes, {o.key for o in outcomes}, self._rate, call)

    async def _read(self, rows: Sequence[Any], project: str, call: Call) -> list[Outcome]:
        project = self._project(project, call)
        outcomes = await asyncio.to_thread(read_items, "rows", rows, read_written_row, project, call.problems)
        _check_projects(outcomes, call)
        return outcomes

    def _project(self, named: str, call: Call) -> str:
        return named or call.principal.project or self._default_project

    async def _change(
        self,
        outcomes: list[Outcome],
        looked_up: Iterable[RowKey | None],
        change: Callable[[RowInput, StoredRow | None], StoredRow],
        call: Call,
    ) -> rows_pb2.WriteRowsResponse:
        """Reads the rows that may exist, applies the change to each, writes the results."""
        keys = {key for key in looked_up if key is not None}
        async with self._locks.hold(keys):
            current = await self._find(keys)
            for outcome in outcomes:
                if outcome.input is None or outcome.error is not None:
                    continue
                try:
                    row = change(outcome.input, current.get((outcome.input.project, outcome.input.id)))
                except InvalidRequestError as error:
                    outcome.error = error
                    continue
                outcome.row = row
                # A later row of the same request sees this one.
                current[(row.ids.project, row.ids.id)] = row
            await self._store(outcomes, call)
        return _response(outcomes)

    async def _find(self, keys: set[RowKey]) -> dict[RowKey, StoredRow]:
        if not keys:
            return {}
        await self._barrier()
        found: dict[RowKey, StoredRow] = {}
        for project in {project for project, _ in keys}:
            ids = sorted(id for its_project, id in keys if its_project == project)
            rows = await asyncio.to_thread(self._reader.find, project, ids)
            found |= {(project, id): row for id, row in rows.items()}
        return found

    async def _store(self, outcomes: list[Outcome], call: Call) -> None:
        """Writes each row once, as the last change left it."""
        rows = {(o.row.ids.project, o.row.ids.id): o.row for o in outcomes if o.row is not None}
        if not rows:
            return
        payload = await asyncio.to_thread(write_request, list(rows.values()))
        accepted = await self._intake.accept_traces(payload, principal=call.principal)
        if accepted.rejected:
            raise PermanentError(f"refused {counted(accepted.rejected, 'row')}: {accepted.reason}")

    def _replace(self, given: RowInput, stored: StoredRow | None) -> StoredRow:
        ids = choose_ids(given, stored, now=self._now)
        return StoredRow(
            ids=ids,
            parent_id=given.parent_id,
            end_unix_nano=_checked_end(given, ids),
            name=given.name,
            type=given.type,
            fields=without_nulls(given.fields),
            experiment_id=given.experiment_id,
        )

    def _merge(self, given: RowInput, stored: StoredRow | None) -> StoredRow:
        if stored is None:
            return self._replace(given, None)
        merged = merge_row(stored, given)
        _checked_end(given, merged.ids)
        return merged

    def _rate(self, given: RowInput, stored: StoredRow | None) -> StoredRow:
        if stored is None:
            raise invalid(f"{given.path}.id", f"there is no row {given.id!r} in project {given.project!r}")
        tags = [*stored.fields.get("tags", []), *given.fields.get("tags", [])]
        rated = merge_row(stored, given)
        return replace(rated, fields={**rated.fields, "tags": list(dict.fromkeys(tags))} if tags else rated.fields)


def _check_projects(outcomes: list[Outcome], call: Call) -> None:
    for outcome in outcomes:
        if outcome.input is not None:
            call.principal.require_project(outcome.input.project)


def _checked_end(given: RowInput, ids: RowIds) -> int:
    end = given.end_unix_nano or 0
    if end and end < ids.start_unix_nano:
        raise invalid(f"{given.path}.metrics.end", "is before the row's start")
    return end


def _response(outcomes: list[Outcome]) -> rows_pb2.WriteRowsResponse:
    errors = [outcome.error for outcome in outcomes if outcome.error is not None]
    if errors and len(errors) == len(outcomes):
        raise errors[0]
    results = [_result(outcome) for outcome in outcomes]
    return rows_pb2.WriteRowsResponse(results=results, stored=len(outcomes) - len(errors), rejected=len(errors))


def _result(outcome: Outcome) -> rows_pb2.RowResult:
    if outcome.row is None:
        named = outcome.input.id if outcome.input else ""
        return rows_pb2.RowResult(id=named, error=str(outcome.error))
    ids = outcome.row.ids
    return rows_pb2.RowResult(id=ids.id, trace_id=ids.trace_id, span_id=ids.span_id)
