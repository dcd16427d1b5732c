"""Refuses what a foreign web page reaches through a name that it points at this machine (DNS rebinding).

Without keys a collector on loopback trusts whoever connects, and a browser here connects for any page. Such a page
cannot choose the Host header: it is the page's own name.
"""

from __future__ import annotations

import ipaddress

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send


class HostCheck:
    """An application behind which connections over loopback must also be addressed to it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on, or answers 421."""
        if scope["type"] == "http" and not _is_addressed_here(Request(scope)):
            host = Request(scope).headers.get("host", "")
            answer = PlainTextResponse(f"host {host!r} is not this collector; use localhost, or turn keys on\n", 421)
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _is_addressed_here(request: Request) -> bool:
    server = request.scope.get("server") or ("", None)
    return not _is_loopback(server[0]) or _is_loopback(_host_name(request.headers.get("host", "")))


def _host_name(header: str) -> str:
    """The Host header without its port."""
    if header.startswith("["):
        return header.partition("]")[0].removeprefix("[")
    return header.partition(":")[0]


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
