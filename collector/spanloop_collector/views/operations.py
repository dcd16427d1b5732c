"""ViewService: saved views listed, saved, chosen and removed."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable
from dataclasses import replace

from spanloop.v1 import views_pb2

from spanloop_collector.api.json_codec import parse_json
from spanloop_collector.api.operations import Call
from spanloop_collector.errors import InvalidRequestError, NotFoundError
from spanloop_collector.views.table import ViewRecord, ViewTable

MAX_NAME_CHARACTERS = 200
MAX_DEFINITION_BYTES = 256 * 1024


class ViewOperations:
    """The operations of ViewService."""

    def __init__(self, table: ViewTable, *, default_project: str, now: Callable[[], int] = time.time_ns) -> None:
        self._table = table
        self._default_project = default_project
        self._now = now

    async def list_views(self, request: views_pb2.ListViewsRequest, call: Call) -> views_pb2.ListViewsResponse:
        """The views of a project, or of one of its pages."""
        project = call.project(request.project, self._default_project)
        found = await asyncio.to_thread(self._table.read, project, page=request.page)
        chosen = await asyncio.to_thread(self._chosen, project, call)
        return views_pb2.ListViewsResponse(
            views=[_message(record, is_own_default=record.id in chosen) for record in found]
        )

    async def save_view(self, request: views_pb2.SaveViewRequest, call: Call) -> views_pb2.SaveViewResponse:
        """The view as it is saved."""
        project = call.project(request.view.project, self._default_project)
        _check(request.view)
        saved = await asyncio.to_thread(self._save, request.view, project)
        chosen = await asyncio.to_thread(self._chosen, project, call)
        return views_pb2.SaveViewResponse(view=_message(saved, is_own_default=saved.id in chosen))

    async def choose_view(self, request: views_pb2.ChooseViewRequest, call: Call) -> views_pb2.ChooseViewResponse:
        """Nothing, once the page opens with the view."""
        project = call.project(request.project, self._default_project)
        if not call.principal.key_id:
            raise InvalidRequestError("a view is chosen for a key, and keys are off here: make it everyone's default")
        if request.id and not await asyncio.to_thread(self._table.read, project, page=request.page, id=request.id):
            raise NotFoundError(f"id: the page {request.page!r} has no view {request.id!r} in project {project!r}")
        await asyncio.to_thread(
            self._table.choose, project, request.page, call.principal.key_id, id=request.id, version=self._now()
        )
        return views_pb2.ChooseViewResponse()

    async def delete_view(self, request: views_pb2.DeleteViewRequest, call: Call) -> views_pb2.DeleteViewResponse:
        """Nothing, once the view is gone."""
        project = call.project(request.project, self._default_project)
        for record in await asyncio.to_thread(self._table.read, project, id=request.id):
            await asyncio.to_thread(self._table.write, replace(record, is_deleted=True, version=self._now()))
        return views_pb2.DeleteViewResponse()

    def _chosen(self, project: str, call: Call) -> set[str]:
        key_id = call.principal.key_id
        return self._table.chosen(project, key_id) if key_id else set()

    def _save(self, view: views_pb2.View, project: str) -> ViewRecord:
        now = self._now()
        known = self._table.read(project, id=view.id) if view.id else []
        record = ViewRecord(
            project=project,
            id=view.id or uuid.uuid4().hex,
            page=view.page,
            name=view.name,
            definition=view.definition or "{}",
            is_default=view.is_default,
            is_deleted=False,
            created_ms=known[0].created_ms if known else now // 1_000_000,
            version=now,
        )
        if record.is_default:
            self._end_other_defaults(record)
        self._table.write(record)
        return record

    def _end_other_defaults(self, record: ViewRecord) -> None:
        for other in self._table.read(record.project, page=record.page):
            if other.is_default and other.id != record.id:
                self._table.write(replace(other, is_default=False, version=record.version))


def _check(view: views_pb2.View) -> None:
    for field, given in (("page", view.page), ("name", view.name)):
        if not given.strip():
            raise InvalidRequestError(f"view.{field}: is empty", field=f"view.{field}")
        if len(given) > MAX_NAME_CHARACTERS:
            message = f"view.{field}: is longer than {MAX_NAME_CHARACTERS} characters"
            raise InvalidRequestError(message, field=f"view.{field}")
    if len(view.definition.encode()) > MAX_DEFINITION_BYTES:
        message = f"view.definition: is larger than {MAX_DEFINITION_BYTES} bytes"
        raise InvalidRequestError(message, field="view.definition")
    if view.definition and not isinstance(parse_json(view.definition), dict):
        raise InvalidRequestError("view.definition: expected an object", field="view.definition")


def _message(record: ViewRecord, *, is_own_default: bool) -> views_pb2.View:
    return views_pb2.View(
        id=record.id,
        project=record.project,
        page=record.page,
        name=record.name,
        definition=record.definition,
        is_default=record.is_default,
        created=record.created,
        is_own_default=is_own_default,
    )
