"""A ClickHouse server as a child process: start, stop in order, kill, start again on the same data."""

from __future__ import annotations

import subprocess
import sys
import urllib.parse
import urllib.request
from pathlib import Path

from tests.support.clickhouse_library import find_library
from tests.support.ports import free_port
from tests.support.waiting import wait_until

LAUNCHER = Path(__file__).with_name("clickhouse_server.py")
MAX_MEMORY_BYTES = 4 << 30


class ClickHouseProcess:
    """A server on a free loopback port; `url` stays the same over restarts."""

    def __init__(
        self,
        data: Path,
        *,
        users: tuple[str, ...] = (),
        config_d: tuple[Path, ...] = (),
        users_d: tuple[Path, ...] = (),
        environment: dict[str, str] | None = None,
        tcp_port: int = 0,
    ) -> None:
        """`users` are NAME:PASSWORD; `config_d` and `users_d` are XML files merged as a server does.

        With a `tcp_port` it speaks the native protocol too, as other nodes of a cluster do.
        """
        self.data = data
        self.port = free_port()
        self._options = [f"--user={user}" for user in users]
        self._options += [f"--tcp-port={tcp_port}"] if tcp_port else []
        self._options += [f"--config-d={file}" for file in config_d]
        self._options += [f"--users-d={file}" for file in users_d]
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Base URL for user `default`, who needs no password."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Process id of the running server."""
        assert self._process is not None, "the server is not running"
        return self._process.pid

    def start(self) -> None:
        """Returns when the server answers."""
        self.data.mkdir(parents=True, exist_ok=True)
        output = self.data / "launcher.log"
        with output.open("wb") as log:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    str(LAUNCHER),
                    f"--library={find_library()}",
                    f"--data={self.data}",
                    f"--http-port={self.port}",
                    f"--max-memory-bytes={MAX_MEMORY_BYTES}",
                    *self._options,
                ],
                # The engine caches protobuf schemas in the folder it runs in.
                cwd=self.data,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
            )
        wait_until(lambda: self._is_ready(output), what="a ClickHouse server that answers", timeout=60)

    def stop(self) -> None:
        """Shuts down in order, which waits for connections; does nothing when the server is not running."""
        self._end(kill=False)

    def kill(self) -> None:
        """The crash: SIGKILL, no shutdown. It also ends what is not read again: a shutdown waits five seconds."""
        self._end(kill=True)

    def execute(self, statement: str, **settings: str) -> str:
        """The answer to one statement as text, sent as user `default`."""
        query = urllib.parse.urlencode(settings)
        request = urllib.request.Request(f"{self.url}/?{query}", data=statement.encode())
        with urllib.request.urlopen(request, timeout=60) as answer:
            text: str = answer.read().decode()
        return text

    def _is_ready(self, output: Path) -> bool:
        assert self._process is not None
        text = output.read_text()
        if self._process.poll() is not None:
            raise AssertionError(f"the ClickHouse server ended while starting:\n{text}")
        return "READY" in text

    def _end(self, *, kill: bool) -> None:
        if self._process is None:
            return
        if kill:
            self._process.kill()
        else:
            self._process.terminate()
        self._process.wait(90)
        self._process = None
