"""A provider's HTTP API on loopback that answers what the test tells it to, in the real wire format."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Json = dict[str, Any]


@dataclass
class Reply:
    """One answer: JSON, or server-sent events, or bytes."""

    json: Any = None
    events: list[Any] | None = None
    """Each a JSON object, or a string sent as it is; `[DONE]` is not added."""
    named: bool = False
    """Events carry their `type` as the event's name, as newer APIs do."""
    body: bytes = b""
    content_type: str = "application/json"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    breaks: bool = False
    """The connection is cut after the events."""
    gate: threading.Event | None = None
    """Waited for before event number `gate_before`."""
    gate_before: int = 1


@dataclass
class Provider:
    """A running provider: what it was asked, and what it answers next."""

    url: str = ""
    requests: list[tuple[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    """Of each request, names in lower case."""
    replies: list[Reply | Callable[[Json], Reply]] = field(default_factory=list)

    def will(self, *replies: Reply | Callable[[Json], Reply]) -> None:
        self.replies.extend(replies)


@contextmanager
def scripted_provider() -> Iterator[Provider]:
    """A provider on a free port for the length of the block."""
    provider = Provider()

    class Handler(_Handler):
        script = provider

    server = _Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    provider.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that go away early are what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    script: Provider

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        request: Any = json.loads(body) if body.startswith((b"{", b"[")) else body
        self.script.requests.append((self.path, request))
        self.script.headers.append({name.lower(): value for name, value in self.headers.items()})
        reply = self.script.replies.pop(0)
        self._send(reply(request) if callable(reply) else reply)

    do_GET = do_POST

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.events is not None:
            self._stream(reply)
            return
        body = reply.body or json.dumps(reply.json).encode()
        self.send_header("content-type", reply.content_type)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, reply: Reply) -> None:
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for number, event in enumerate(reply.events or ()):
            if number == reply.gate_before and reply.gate is not None:
                reply.gate.wait(20)
            data = event if isinstance(event, str) else json.dumps(event)
            name = f"event: {event['type']}\n" if reply.named else ""
            self._write(f"{name}data: {data}\n\n".encode())
        if reply.breaks:
            self.close_connection = True
            return
        self.wfile.write(b"0\r\n\r\n")

    def _write(self, event: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:
        """Keeps test output quiet."""
