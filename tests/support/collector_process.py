"""`spanloop serve` as a child process: start, stop in order, kill, start again on the same data and ports."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.support.waiting import wait_until

START_SECONDS = 60
STOP_SECONDS = 60
LISTENER = re.compile(r"^(OTLP/gRPC|OTLP/HTTP|API and SQL)\s+(?:https?://)?(\S+:\d+)$", re.MULTILINE)
ADDRESS_VARIABLES = {
    "OTLP/gRPC": "SPANLOOP_RECEIVE_GRPC_ADDRESS",
    "OTLP/HTTP": "SPANLOOP_RECEIVE_HTTP_ADDRESS",
    "API and SQL": "SPANLOOP_RECEIVE_API_ADDRESS",
}


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
        self._environment = {variable: "127.0.0.1:0" for variable in ADDRESS_VARIABLES.values()}
        self._environment |= {"SPANLOOP_DATA_DIR": str(data_dir), "SPANLOOP_STORE_DATABASE": database}
        if clickhouse_url:
            self._environment["SPANLOOP_CLICKHOUSE_URL"] = clickhouse_url
        self._environment |= environment or {}
        self._addresses: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def grpc_address(self) -> str:
        """`host:port` of OTLP and the API over gRPC."""
        return self._addresses["OTLP/gRPC"]

    @property
    def http_url(self) -> str:
        """Base URL of OTLP over HTTP."""
        return f"http://{self._addresses['OTLP/HTTP']}"

    @property
    def api_url(self) -> str:
        """Base URL of the API as JSON, of SQL and of /metrics."""
        return f"http://{self._addresses['API and SQL']}"

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
        try:
            code = self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(
                f"SIGTERM did not end the collector in {STOP_SECONDS} s:\n{self.log}"
            ) from None
        self._process = None
        return code

    def kill(self) -> None:
        """The crash: SIGKILL, no shutdown."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(STOP_SECONDS)
            self._process = None

    def sql(self, query: str) -> list[dict[str, Any]]:
        """Rows of one SELECT through the SQL endpoint; 64-bit integers are numbers."""
        settings = {"output_format_json_quote_64bit_integers": "0"}
        body = f"{query} FORMAT JSONEachRow".encode()
        url = f"{self.api_url}/?{urllib.parse.urlencode(settings)}"
        try:
            with urllib.request.urlopen(urllib.request.Request(url, data=body), timeout=60) as answer:
                lines = answer.read().decode().splitlines()
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{error.code}: {error.read().decode()}") from None
        return [json.loads(line) for line in lines if line]

    @property
    def _log_path(self) -> Path:
        return self.data_dir / "collector.log"

    def _read_addresses(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise AssertionError(f"the collector ended while starting:\n{self.log}")
        self._addresses = {name: address for name, address in LISTENER.findall(self.log)}
        if set(self._addresses) != set(ADDRESS_VARIABLES):
            return False
        for name, variable in ADDRESS_VARIABLES.items():
            self._environment[variable] = self._addresses[name]
        return True

    def _is_healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.api_url}/healthz", timeout=5) as answer:
                status: int = answer.status
        except OSError:
            return False
        return status == 200
