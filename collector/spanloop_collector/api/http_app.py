"""Everything on the API port: the page and SQL at `/`, the API below `/v1`, health and metrics."""

from __future__ import annotations

from collections.abc import Sequence

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from spanloop_collector.api.host_check import HostCheck
from spanloop_collector.api.http_transport import error_response, routes_of
from spanloop_collector.api.operations import Operation
from spanloop_collector.errors import NotFoundError, UnsupportedError
from spanloop_collector.keys.authenticator import Authenticator
from spanloop_collector.page.routes import page_or, page_routes
from spanloop_collector.query.endpoint import SqlEndpoint
from spanloop_collector.telemetry import REGISTRY


def build_app(
    *,
    sql: SqlEndpoint,
    operations: Sequence[Operation],
    authenticator: Authenticator,
    max_body_bytes: int,
    more_routes: Sequence[Route] = (),
) -> Starlette:
    """The ASGI application of the API port."""
    return Starlette(
        routes=[
            Route("/", page_or(sql), methods=["GET", "POST"]),
            *page_routes(),
            Route("/ping", ping),
            Route("/healthz", healthz),
            Route("/metrics", metrics),
            *routes_of(operations, authenticator, max_body_bytes=max_body_bytes),
            *more_routes,
        ],
        exception_handlers={HTTPException: http_error},
        middleware=[] if authenticator.is_required else [Middleware(HostCheck)],
    )


async def ping(request: Request) -> Response:
    """What ClickHouse answers to /ping."""
    return PlainTextResponse("Ok.\n")


async def healthz(request: Request) -> Response:
    """The process is up and takes requests; a ClickHouse that is away does not change that."""
    return JSONResponse({"status": "ok"})


async def metrics(request: Request) -> Response:
    """The collector's counters as Prometheus text."""
    return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)


async def http_error(request: Request, error: Exception) -> Response:
    """A path or verb that is not served, as an error like any other."""
    assert isinstance(error, HTTPException)
    what = f"{request.method} {request.url.path}"
    if error.status_code == 404:
        return error_response(NotFoundError(f"{what}: there is no such path"))
    response = error_response(UnsupportedError(f"{what}: {error.detail}"))
    response.status_code = error.status_code
    return response
