"""`spanloop serve`: the whole collector in one process."""

from __future__ import annotations

import asyncio
import logging
import resource
import signal
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from importlib.metadata import version
from typing import Annotated

import typer
import uvloop

from spanloop_collector.cli.options import with_settings
from spanloop_collector.configuration import Configuration
from spanloop_collector.listening import Listening
from spanloop_collector.settings import Settings

# Every connection is a file to the system, which allows 256 or 1,024 unless asked.
MAX_OPEN_FILES = 65_536
# They wait for ClickHouse or a disk: were there as few as there are cores, a slow insert would hold up everything.
MAX_THREADS = 32

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"
# They say each time what we say once: that ClickHouse is away, where we listen, that we stop.
REPEATING_LOGGERS = ("urllib3.connectionpool", "clickhouse_connect", "uvicorn")


class LogLevel(StrEnum):
    """Least important lines to log."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@with_settings
def serve(
    configuration: Configuration,
    log_level: Annotated[
        LogLevel, typer.Option(help="Least important log lines to write.", envvar="SPANLOOP_LOG_LEVEL")
    ] = LogLevel.INFO,
) -> None:
    """Run the collector: receives traces and logs, keeps them in ClickHouse, answers SQL.

    Listens on this machine only and embeds ClickHouse, unless told otherwise. Ctrl-C or SIGTERM stops it
    after what was acknowledged is safe. Every option may also be an environment variable or a line in a
    config file: `spanloop check-config` shows which one decides.
    """
    log_to_stderr(log_level)
    allow_many_connections()
    # Its event loop spends a tenth less on a request than asyncio's own.
    uvloop.run(serve_until_stopped(configuration.settings))


def log_to_stderr(level: LogLevel) -> None:
    """Logs our own lines from this level on, and those of libraries that repeat them only where everything is asked."""
    logging.basicConfig(level=level.value.upper(), format=LOG_FORMAT)
    if level is not LogLevel.DEBUG:
        for name in REPEATING_LOGGERS:
            logging.getLogger(name).setLevel(logging.ERROR)


def allow_many_connections() -> None:
    """Raises this process's limit of open files as far as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, MAX_OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def serve_until_stopped(settings: Settings) -> None:
    """Runs the pipeline until SIGTERM or SIGINT; a second one does not wait for what is being drained."""
    # Imported late: `spanloop --help` need not load gRPC and ClickHouse.
    from spanloop_collector.pipeline import run
    from spanloop_collector.receive.reused_memory import reuse_freed_memory
    from spanloop_collector.store.memory import leave_out_arrays

    leave_out_arrays()
    reuse_freed_memory()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(MAX_THREADS))

    def stop_in_order(number: signal.Signals) -> None:
        stop.set()
        loop.remove_signal_handler(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop_in_order, number)
    await run(settings, stop=stop, on_ready=announce)


def announce(listening: Listening) -> None:
    """Says where the collector listens, one line each, and what to do next."""
    print(listening.announcement(version("spanloop")))
    print(f"Next: send spans with OTEL_EXPORTER_OTLP_ENDPOINT={listening.endpoint}")
    print("      and look with `spanloop tail` or `spanloop sql`. Ctrl-C stops.", flush=True)
