"""Starts what the demo needs as processes of their own, and ends them all."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from spanloop_collector.errors import SpanloopError
from spanloop_collector.listening import Listening, read_announcement
from spanloop_collector.settings import ReceiveSettings

START_SECONDS = 30.0
STOP_SECONDS = 15.0
APPLICATION_SECONDS = 60.0
POLL_SECONDS = 0.05
ADDRESS_FIELDS = ("grpc_address", "http_address", "api_address")


class DemoFailed(SpanloopError):
    """A part of the demo did not do its share; the message ends with what it printed."""


class Processes:
    """Children of the demo; leaving the block ends those that still run, the last started first."""

    def __init__(self, log_dir: Path) -> None:
        """`log_dir` takes one file per process with what it prints."""
        self._log_dir = log_dir
        self._running: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Processes:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in reversed(self._running):
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def start_collector(self, data_dir: Path) -> Listening:
        """A collector with an embedded ClickHouse, on the default ports where those are free."""
        environment = {"SPANLOOP_DATA_DIR": str(data_dir)}
        for name in ADDRESS_FIELDS:
            environment[f"SPANLOOP_RECEIVE_{name.upper()}"] = free_address(getattr(ReceiveSettings(), name))
        process = self._start("collector", ["serve"], module="spanloop_collector", environment=environment)
        deadline = time.monotonic() + START_SECONDS
        while (listening := read_announcement(self._printed("collector"))) is None:
            self._check_alive("collector", process, deadline)
            time.sleep(POLL_SECONDS)
        return listening

    def start_provider(self) -> str:
        """The stand-in of a model provider; returns its base URL as clients want it."""
        process = self._start("provider", ["--port", "0"], module="spanloop_collector.demo.provider")
        deadline = time.monotonic() + START_SECONDS
        while not (printed := self._printed("provider")).endswith("\n"):
            self._check_alive("provider", process, deadline)
            time.sleep(POLL_SECONDS)
        return printed.split()[-1]

    def run_application(self, listening: Listening, provider_url: str) -> None:
        """The sample application, to its end."""
        environment = {
            "SPANLOOP_ENDPOINT": f"{listening.scheme}://{listening.grpc_address}",
            "OPENAI_BASE_URL": provider_url,
            "OPENAI_API_KEY": "demo",
        }
        process = self._start("application", [], module="spanloop_collector.demo.application", environment=environment)
        try:
            code = process.wait(APPLICATION_SECONDS)
        except subprocess.TimeoutExpired:
            raise DemoFailed(f"the sample application took more than {APPLICATION_SECONDS:.0f} s") from None
        if code != 0:
            raise DemoFailed(f"the sample application failed:\n{self._printed('application')}")

    def _start(
        self, name: str, arguments: list[str], *, module: str, environment: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        # Settings of the user's own collector or application are not the demo's.
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("SPANLOOP_", "OTEL_", "OPENAI_"))}
        with (self._log_dir / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**inherited, **(environment or {}), "PYTHONUNBUFFERED": "1"},
                # Ctrl-C reaches the demo alone, which then ends its children in order.
                start_new_session=True,
            )
        self._running.append(process)
        return process

    def _printed(self, name: str) -> str:
        return (self._log_dir / f"{name}.log").read_text(errors="replace")

    def _check_alive(self, name: str, process: subprocess.Popen[bytes], deadline: float) -> None:
        if process.poll() is not None:
            raise DemoFailed(f"the {name} ended while starting:\n{self._printed(name)}")
        if time.monotonic() > deadline:
            raise DemoFailed(f"the {name} did not start in {START_SECONDS:.0f} s:\n{self._printed(name)}")


def free_address(preferred: str) -> str:
    """The preferred address where nobody listens on it, else the same host with a free port."""
    host, _, port = preferred.rpartition(":")
    with socket.socket() as probe:
        # As servers do: a port whose last connection has just ended counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, int(port)))
        except OSError:
            return f"{host}:0"
    return preferred
