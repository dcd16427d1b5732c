"""`spanloop serve` as a child process: start, stop in order, kill, start again on the same data and ports."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from spanloop_collector.listening import Listening, read_announcement

from tests.support.waiting import wait_until

START_SECONDS = 60
STOP_SECONDS = 60
GRPC_VARIABLE = "SPANLOOP_RECEIVE_GRPC_ADDRESS"
HTTP_VARIABLE = "SPANLOOP_RECEIVE_HTTP_ADDRESS"
API_VARIABLE = "SPANLOOP_RECEIVE_API_ADDRESS"


class CollectorProcess:
    """A collector on free loopback ports, which it keeps over restarts."""

    def __init__(
        self,
        data_dir: Path,
        *,
        clickhouse_url: str = "",
        database: str = "spanloop",
        environment: Mapping[str, str] | None = None,
        arguments: Sequence[str] = (),
    ) -> None:
        """`environment` are SPANLOOP_… settings, `arguments` further options of `spanloop serve`."""
        self.data_dir = data_dir
        self._arguments = list(arguments)
        self._environment = {name: "127.0.0.1:0" for name in (GRPC_VARIABLE, HTTP_VARIABLE, API_VARIABLE)}
        self._environment |= {"SPANLOOP_DATA_DIR": str(data_dir), "SPANLOOP_STORE_DATABASE": database}
        if clickhouse_url:
            self._environment["SPANLOOP_CLICKHOUSE_URL"] = clickhouse_url
        self._environment |= environment or {}
        self._listening: Listening | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def listening(self) -> Listening:
        """Where the collector said it listens."""
        assert self._listening is not None, "the collector was never started"
        return self._listening

    @property
    def grpc_address(self) -> str:
        """`host:port` of OTLP and the API over gRPC."""
        return self.listening.grpc_address

    @property
    def http_url(self) -> str:
        """Base URL of OTLP over HTTP."""
        return f"{self.listening.scheme}://{self.listening.http_address}"

    @property
    def api_url(self) -> str:
        """Base URL of the API as JSON, of SQL and of /metrics."""
        return f"{self.listening.scheme}://{self.listening.api_address}"

    @property
    def pid(self) -> int:
        """Process id of the running collector."""
        assert self._process is not None, "the collector is not running"
        return self._process.pid

    @property
    def log(self) -> str:
        """Everything printed since the last start."""
        path = self._log_path
        return path.read_text() if path.exists() else ""

    def start(self) -> None:
        """Returns when every listener is announced and /healthz answers."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        with self._log_path.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "spanloop_collector", "serve", *self._arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **self._environment},
            )
        wait_until(self._read_addresses, what="a collector that says where it listens", timeout=START_SECONDS)
        wait_until(self._is_healthy, what="a healthy collector", timeout=START_SECONDS)

    def stop(self) -> int:
        """Ends the collector with SIGTERM and returns its exit code; 0 when it was not running."""
        if self._process is None:
            return 0
        self._process.terminate()
        return self.wait()

    def wait(self) -> int:
        """The exit code of a collector that is ending."""
        assert self._process is not None, "the collector is not running"
        try:
            code = self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the collector did not end in {STOP_SECONDS} s:\n{self.log}") from None
        self._process = None
        return code

    def kill(self) -> None:
        """The crash: SIGKILL, no shutdown."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(STOP_SECONDS)
            self._process = None

    def sql(self, query: str) -> list[dict[str, Any]]:
        """Rows of one SELECT through the SQL endpoint, with the admin key where keys are required."""
        url = f"{self.api_url}/?{urllib.parse.urlencode({'default_format': 'JSONEachRow'})}"
        try:
            lines = self._call(url, query.encode()).decode().splitlines()
        except urllib.error.HTTPError as error:
            with error:
                raise AssertionError(f"{error.code}: {error.read().decode()}") from None
        return [json.loads(line) for line in lines if line]

    def metric(self, name: str) -> float:
        """The value of a metric without labels."""
        lines = self._call(f"{self.api_url}/metrics").decode().splitlines()
        [value] = [line.split()[1] for line in lines if line.startswith(f"{name} ")]
        return float(value)

    @property
    def admin_key(self) -> str:
        """The key that the collector made for this machine; empty where keys are off."""
        path = self.data_dir / "admin.key"
        return path.read_text().strip() if path.exists() else ""

    def _call(self, url: str, data: bytes | None = None) -> bytes:
        request = urllib.request.Request(url, data=data)
        if self.admin_key:
            request.add_header("authorization", f"Bearer {self.admin_key}")
        # Whether certificates are right is not what is asked here.
        context = ssl._create_unverified_context() if url.startswith("https:") else None
        with urllib.request.urlopen(request, timeout=60, context=context) as answer:
            content: bytes = answer.read()
        return content

    @property
    def _log_path(self) -> Path:
        return self.data_dir / "collector.log"

    def _read_addresses(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise AssertionError(f"the collector ended while starting:\n{self.log}")
        listening = read_announcement(self.log)
        if listening is None:
            return False
        self._listening = listening
        self._environment[GRPC_VARIABLE] = listening.grpc_address
        self._environment[HTTP_VARIABLE] = listening.http_address
        self._environment[API_VARIABLE] = listening.api_address
        return True

    def _is_healthy(self) -> bool:
        try:
            self._call(f"{self.api_url}/healthz")
        except OSError:
            return False
        return True
