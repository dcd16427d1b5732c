"""Runs a real ClickHouse server in the foreground until SIGTERM, SIGINT or the end of its parent process.

`libchdb.so` is clickhouse-local as a library. `SYSTEM START LISTEN HTTP` starts the server's own protocol
handlers, and a query that reads from a FIFO keeps the instance alive: closing the FIFO ends the query, after
which ClickHouse shuts down in order. Only the standard library is needed, so this file runs as a script.

Prints `READY <url>` once it answers. Files named by --config-d and --users-d are merged exactly as a server
merges `config.d` and `users.d`.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import shutil
import signal
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from xml.sax.saxutils import escape

START_SECONDS = 60
STOP_SECONDS = 60
PARENT_CHECK_SECONDS = 0.5

FULL_RIGHTS = "<access_management>1</access_management><named_collection_control>1</named_collection_control>"


def main() -> None:
    """Parses the command line, starts ClickHouse, waits for a reason to stop."""
    options = parse_options()
    run = prepare_run_directory(options)
    fifo, hold = open_fifo(run)
    engine = Engine(options.library, engine_arguments(options, run, fifo))
    engine.start()
    url = f"http://{options.host}:{options.http_port}"
    wait_until_listening(url, engine)
    # After the start: the library installs signal handlers of its own.
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    print(f"READY {url}", flush=True)
    wait_for_end(stop, engine)
    os.close(hold)
    engine.join(STOP_SECONDS)
    os._exit(engine.exit_code if engine.exit_code is not None else 2)


def parse_options() -> argparse.Namespace:
    """The command line; every path exists or is created."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--library", required=True, help="path of libchdb.so")
    parser.add_argument("--data", required=True, type=Path, help="data directory; survives restarts")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--http-port", required=True, type=int)
    parser.add_argument("--tcp-port", type=int, default=0, help="0: no native protocol")
    parser.add_argument("--user", action="append", default=[], metavar="NAME:PASSWORD")
    parser.add_argument("--max-memory-bytes", type=int, default=4 << 30)
    parser.add_argument("--log-level", default="warning")
    parser.add_argument("--config-d", action="append", default=[], type=Path, metavar="FILE")
    parser.add_argument("--users-d", action="append", default=[], type=Path, metavar="FILE")
    return parser.parse_args()


def prepare_run_directory(options: argparse.Namespace) -> Path:
    """Writes config.xml, users.xml and the files merged into them below the data directory."""
    run: Path = options.data.resolve() / "_run"
    for name, files in {"config.d": options.config_d, "users.d": options.users_d}.items():
        shutil.rmtree(run / name, ignore_errors=True)
        (run / name).mkdir(parents=True)
        for file in files:
            shutil.copy(file, run / name)
    (run / "config.xml").write_text(config_xml(options, run))
    (run / "users.xml").write_text(users_xml(options.user))
    return run


def config_xml(options: argparse.Namespace, run: Path) -> str:
    """The server's main configuration."""
    data = options.data.resolve()
    tcp = f"<tcp_port>{options.tcp_port}</tcp_port>" if options.tcp_port else ""
    return f"""<clickhouse>
<logger><log>{data}/server.log</log><errorlog>{data}/server.err.log</errorlog>
<level>{options.log_level}</level></logger>
<path>{data}/</path><tmp_path>{data}/tmp/</tmp_path>
<http_port>{options.http_port}</http_port>{tcp}<listen_host>{options.host}</listen_host>
<max_server_memory_usage>{options.max_memory_bytes}</max_server_memory_usage>
<users_config>{run}/users.xml</users_config>
</clickhouse>"""


def users_xml(users: list[str]) -> str:
    """`default` without a password, which the library's own session needs, and the asked-for users."""
    pairs = [("default", ""), *(user.split(":", 1) for user in users)]
    entries = "".join(
        f"<{name}><password>{escape(password)}</password><profile>default</profile><quota>default</quota>"
        f"<networks><ip>::/0</ip></networks>{FULL_RIGHTS}</{name}>"
        for name, password in pairs
    )
    return (
        f"<clickhouse><profiles><default/></profiles><users>{entries}</users><quotas><default/></quotas></clickhouse>"
    )


def open_fifo(run: Path) -> tuple[Path, int]:
    """A fresh FIFO and the descriptor that keeps its reader waiting."""
    fifo = run / "alive.fifo"
    fifo.unlink(missing_ok=True)
    os.mkfifo(fifo)
    return fifo, os.open(fifo, os.O_RDWR)


def engine_arguments(options: argparse.Namespace, run: Path, fifo: Path) -> list[str]:
    """Arguments of clickhouse-local, ending with the statement that lives as long as the server."""
    statements = ["SYSTEM START LISTEN HTTP"]
    ports = [f"--http_port={options.http_port}"]
    if options.tcp_port:
        statements.append("SYSTEM START LISTEN TCP")
        ports.append(f"--tcp_port={options.tcp_port}")
    statements.append(f"SELECT * FROM file('{fifo}', 'LineAsString', 'line String') FORMAT Null")
    return [
        "clickhouse",
        f"--config-file={run}/config.xml",
        f"--path={options.data.resolve()}",
        f"--listen_host={options.host}",
        *ports,
        f"--query={';'.join(statements)}",
    ]


class Result(ctypes.Structure):
    """What the library returns from a query."""

    _fields_ = (
        ("buffer", ctypes.c_void_p),
        ("length", ctypes.c_size_t),
        ("vector", ctypes.c_void_p),
        ("elapsed", ctypes.c_double),
        ("rows", ctypes.c_uint64),
        ("bytes", ctypes.c_uint64),
        ("error", ctypes.c_char_p),
    )


class Engine(threading.Thread):
    """ClickHouse, running until its statement ends; `exit_code` is None while it runs."""

    def __init__(self, library: str, arguments: list[str]) -> None:
        super().__init__(daemon=True)
        self.exit_code: int | None = None
        self._arguments = arguments
        self._library = ctypes.CDLL(library)
        self._library.query_stable_v2.restype = ctypes.c_void_p

    def run(self) -> None:
        encoded = [argument.encode() for argument in self._arguments]
        argv = (ctypes.c_char_p * len(encoded))(*encoded)
        address = self._library.query_stable_v2(len(encoded), argv)
        error = Result.from_address(address).error if address else b"no result"
        if error:
            print("clickhouse ended:", error.decode(errors="replace"), file=sys.stderr, flush=True)
        self.exit_code = 1 if error else 0


def wait_until_listening(url: str, engine: Engine) -> None:
    """Returns when the server answers, or exits with what stopped it."""
    deadline = time.monotonic() + START_SECONDS
    while engine.exit_code is None:
        try:
            urllib.request.urlopen(f"{url}/ping", timeout=2).read()
            return
        except (urllib.error.URLError, OSError):
            if time.monotonic() > deadline:
                sys.exit(f"not listening on {url} after {START_SECONDS} s")
            time.sleep(0.05)
    os._exit(engine.exit_code or 2)


def wait_for_end(stop: threading.Event, engine: Engine) -> None:
    """Returns on a signal, when ClickHouse ends, or when whoever started this is gone."""
    parent = os.getppid()
    while engine.exit_code is None and os.getppid() == parent:
        if stop.wait(PARENT_CHECK_SECONDS):
            return


if __name__ == "__main__":
    main()
