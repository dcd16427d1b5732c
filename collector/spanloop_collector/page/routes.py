"""Serves the page: its files below `/page/`, and its one document at `/` and at every address below `/p/`.

What the page shows was sent by strangers, so the browser is told to run and load nothing but these files.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import cache

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from spanloop_collector.page.files import INDEX, PageFile, read_page_files

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        # Attachments come with a key, so the page fetches them and shows what it got: blob. Images inside of
        # messages are data.
        "img-src 'self' data: blob:",
        "media-src 'self' data: blob:",
        "frame-src blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)

HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "Vary": "Accept-Encoding",
}

Handler = Callable[[Request], Awaitable[Response]]


def page_routes() -> list[Route]:
    """The routes of the page, without `/`."""
    return [Route("/p/{path:path}", document), Route("/page/{name:path}", page_file)]


def page_or(otherwise: Handler) -> Handler:
    """The handler of `/`: the page for a browser that asks no query, `otherwise` for everything else."""

    async def handle(request: Request) -> Response:
        return await (document(request) if _is_a_visit(request) else otherwise(request))

    return handle


async def document(request: Request) -> Response:
    """The page's one document; its script looks at the address."""
    return _respond(request, _files()[INDEX])


async def page_file(request: Request) -> Response:
    """A script, style sheet or image of the page."""
    found = _files().get(request.path_params["name"])
    if found is None or found.name == INDEX:
        return Response(status_code=404, headers=HEADERS)
    return _respond(request, found)


@cache
def _files() -> dict[str, PageFile]:
    return read_page_files()


def _is_a_visit(request: Request) -> bool:
    is_read = request.method in ("GET", "HEAD") and "query" not in request.query_params
    return is_read and "text/html" in request.headers.get("accept", "")


def _respond(request: Request, file: PageFile) -> Response:
    caching = "public, max-age=31536000, immutable" if file.never_changes else "no-cache"
    headers = HEADERS | {"ETag": file.etag, "Cache-Control": caching}
    if request.headers.get("if-none-match") == file.etag:
        return Response(status_code=304, headers=headers)
    content = file.content
    if "gzip" in request.headers.get("accept-encoding", ""):
        content, headers = file.compressed, headers | {"Content-Encoding": "gzip"}
    return Response(content, headers=headers, media_type=file.content_type)
