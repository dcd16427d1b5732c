"""`/v1/attachments/<key>`: HEAD asks, PUT stores, GET reads, with ranges. Bytes go as they are, not as JSON.

The project is that of the caller's key; callers who reach all may name one as `?project=`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from spanloop_collector.attachments.attachment import Attachment, check_key, settle_content_type, settle_filename
from spanloop_collector.attachments.keeper import Attachments, too_large
from spanloop_collector.errors import NotFoundError
from spanloop_collector.intake import PROJECT_HEADER, check_project
from spanloop_collector.keys.authenticator import Authenticator
from spanloop_collector.keys.principal import Principal, Scope

PATH = "/v1/attachments/{key}"

SHOWN_TYPES = re.compile(r"image/(?!svg)|audio/|video/|text/plain$|application/(pdf|json)$")
"""Types that a browser may show in place; anything else it saves, since it could be a page with scripts."""

WITHOUT_SANDBOX = ("application/pdf",)  # browsers' viewers do not work inside one

Answer = Callable[[Request], Awaitable[Response]]
AnswerError = Callable[[Exception], Response]


def attachment_routes(
    attachments: Attachments, authenticator: Authenticator, *, default_project: str, error_response: AnswerError
) -> list[Route]:
    """The routes of attachments."""
    door = _Door(attachments, authenticator, default_project)

    def answered(handle: Answer) -> Answer:
        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except Exception as error:
                return error_response(error)

        return answer

    return [
        Route(PATH, answered(door.put), methods=["PUT"]),
        Route(PATH, answered(door.get), methods=["GET"]),  # and HEAD
    ]


class _Door:
    """Who may do what with which attachment."""

    def __init__(self, attachments: Attachments, authenticator: Authenticator, default_project: str) -> None:
        self._attachments = attachments
        self._authenticator = authenticator
        self._default_project = default_project

    async def put(self, request: Request) -> Response:
        """Stores the body, unless it is there already; answers what is known of it."""
        principal = self._authenticator.authenticate(request.headers)
        principal.require(Scope.INGEST)
        key = check_key(request.path_params["key"])
        project = _project(request, principal) or self._default_project
        if int(request.headers.get("content-length") or 0) > self._attachments.max_bytes:
            raise too_large(self._attachments.max_bytes)
        found = await asyncio.to_thread(self._attachments.find, project, key)
        if found is not None:
            await asyncio.to_thread(self._attachments.see, found)
            return JSONResponse(_described(found))
        return JSONResponse(_described(await self._receive(request, project, key)), status_code=201)

    async def _receive(self, request: Request, project: str, key: str) -> Attachment:
        incoming = await asyncio.to_thread(self._attachments.receive)
        try:
            async for piece in request.stream():
                if piece:
                    await asyncio.to_thread(incoming.add, piece)
            return await asyncio.to_thread(
                self._attachments.keep,
                incoming,
                project=project,
                key=key,
                content_type=settle_content_type(request.headers.get("content-type", "")),
                filename=settle_filename(request.query_params.get("filename", "")),
            )
        finally:
            await asyncio.to_thread(incoming.close)

    async def get(self, request: Request) -> Response:
        """The bytes, or a range of them; to HEAD only the headers."""
        principal = self._authenticator.authenticate(request.headers)
        is_question = request.method == "HEAD"
        if not (is_question and principal.may(Scope.INGEST)):
            principal.require(Scope.READ)
        key = check_key(request.path_params["key"])
        project = _project(request, principal)
        if is_question:  # as a sender asks: is it where PUT would store it?
            project = project or self._default_project
        found = await asyncio.to_thread(self._attachments.find, project, key)
        if found is None:
            raise NotFoundError(
                f"there is no attachment {key}{f' in project {project!r}' if project else ''}: its upload has not "
                "arrived (yet), or `spanloop attachments sweep` removed it"
            )
        if is_question:
            await asyncio.to_thread(self._attachments.see, found)
        return self._answer(request, found)

    def _answer(self, request: Request, found: Attachment) -> Response:
        headers = _headers(found)
        if request.headers.get("if-none-match") == headers["etag"]:
            return Response(status_code=304, headers=headers)
        start, stop, status = _range(request, found.size)
        if status == 416:
            return Response(status_code=416, headers={**headers, "content-range": f"bytes */{found.size}"})
        if status == 206:
            headers["content-range"] = f"bytes {start}-{stop - 1}/{found.size}"
        headers["content-length"] = str(stop - start)
        if request.method == "HEAD":
            return Response(status_code=status, headers=headers, media_type=None)
        pieces: Iterator[bytes] = self._attachments.read(found, start, stop)
        return StreamingResponse(pieces, status, headers)


def _project(request: Request, principal: Principal) -> str:
    """The project that is meant; empty where the caller reaches all and names none."""
    named = request.query_params.get("project", "")
    if named:
        principal.require_project(named)
    # The header says where things go that name no project: as with rows, the key decides before it.
    project = named or principal.project or _text(request.headers.get(PROJECT_HEADER, ""))
    check_project(project)
    return project


def _text(header: str) -> str:
    """A header's value in UTF-8."""
    return header.encode("latin-1").decode("utf-8", "replace")


def _described(attachment: Attachment) -> dict[str, object]:
    return {
        "key": attachment.key,
        "project": attachment.project,
        "size": attachment.size,
        "content_type": attachment.content_type,
        "filename": attachment.filename,
    }


def _headers(attachment: Attachment) -> dict[str, str]:
    """What keeps a browser from doing with somebody's bytes more than show or save them."""
    kind = attachment.content_type
    disposition = "inline" if SHOWN_TYPES.match(kind) else "attachment"
    name = quote(attachment.filename or attachment.key[:16], safe="")
    sandbox = "" if kind in WITHOUT_SANDBOX else "; sandbox"
    return {
        "content-type": f"{kind}; charset=utf-8" if kind.startswith("text/") else kind,
        "content-disposition": f"{disposition}; filename*=UTF-8''{name}",
        "x-content-type-options": "nosniff",
        "content-security-policy": f"default-src 'none'{sandbox}",
        "accept-ranges": "bytes",
        "etag": f'"{attachment.key}"',
        # The bytes of a key never change; whose they are does not, either.
        "cache-control": "private, max-age=31536000, immutable",
    }


def _range(request: Request, size: int) -> tuple[int, int, int]:
    """Start, stop and status of the answer; several ranges at once are answered whole, as HTTP allows."""
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", request.headers.get("range", "").strip())
    if match is None or not (match[1] or match[2]):
        return 0, size, 200
    if not match[1]:
        start, stop = max(size - int(match[2]), 0), size
    else:
        start, stop = int(match[1]), min(int(match[2] or size) + 1, size)
    return (start, stop, 206) if start < stop else (0, 0, 416)
