"""Under the web servers people run: workers that are forked or spawned trace, and deliver before they end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.instrumentation.otlp_collector import Collector
from tests.support.ports import free_port
from tests.support.waiting import wait_until

APPLICATION = """
import os, spanloop

spanloop.init("shop", flush_interval_seconds=60)  # only the end of a worker delivers

@spanloop.traced
def handle(path: str) -> int:
    return os.getpid()

def wsgi(environ, start_response):
    body = str(handle(environ["PATH_INFO"])).encode()
    start_response("200 OK", [("content-length", str(len(body)))])
    return [body]

@spanloop.traced
async def stream(path: str):
    yield str(os.getpid()).encode()

async def asgi(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        async for piece in stream(scope["path"]):
            await send({"type": "http.response.body", "body": piece})
"""
GUNICORN = ["-m", "gunicorn", "--no-control-socket", "--log-level", "error", "--workers", "2", "--threads", "2"]
UVICORN = ["-m", "uvicorn", "--log-level", "error", "--workers", "2", "--lifespan", "off"]


@pytest.mark.parametrize("server", ["gunicorn", "gunicorn --preload", "uvicorn"])
def test_every_worker_delivers_what_it_traced(server: str, collector: Collector, tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "application.py").write_text(APPLICATION)
    if server == "uvicorn":
        command = [*UVICORN, "--host", "127.0.0.1", "--port", str(port), "application:asgi"]
    else:
        command = [*GUNICORN, *server.split()[1:], "--bind", f"127.0.0.1:{port}", "application:wsgi"]
    environment = {**os.environ, "SPANLOOP_ENDPOINT": collector.endpoint}
    deadline = time.monotonic() + 60
    process = subprocess.Popen([sys.executable, *command], cwd=tmp_path, env=environment)
    try:
        wait_until(lambda: _get(port, "ready"), what="a server", timeout=40)
        # The system chooses who answers; two workers share the load soon enough.
        workers = {""}
        while len(workers) < 3:
            assert time.monotonic() < deadline
            workers.add(_get(port, "ask"))
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(40) in (0, -signal.SIGTERM)
    spans = collector.received.spans
    name = "stream" if server == "uvicorn" else "handle"
    assert {span.name for span in spans} == {name}
    assert len({span.span_id for span in spans}) == len(spans)
    outputs = {a.value.string_value.strip('"') for s in spans for a in s.attributes if a.key == "spanloop.output"}
    assert len(outputs) == 2


def _get(port: int, path: str) -> str:
    """The answer, which is the worker's process id; "" if there is none."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=5) as answer:
            return str(answer.read().decode())
    except (OSError, urllib.error.URLError):
        return ""
