"""Keeps memory small: of libraries, what the collector never uses; of the embedded engine, what it has freed."""

from __future__ import annotations

import asyncio
import importlib
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from clickhouse_connect.driver.exceptions import Error

from spanloop_collector.errors import StoreUnavailableError

LOOK_EVERY_SECONDS = 0.5
FREED_BYTES = 16 * 1024 * 1024
# Inserts without a pause take the same memory again and again: a tenth slower where it must be had anew.
CALM_SECONDS = 3.0

logger = logging.getLogger(__name__)


def leave_out_pandas() -> None:
    """Inserts ask whether they were given a DataFrame, and load pandas for that where it is installed: 80 MiB.

    Holds for the whole process, which must be the collector's own.
    """
    options: Any = importlib.import_module("clickhouse_connect.driver.options")
    options.pd = options.pd_time_test = None


def import_engine() -> None:
    """Imports chdb without pyarrow, which it imports where that is installed: 40 MiB for what nobody asks it for."""
    if "chdb.state" in sys.modules or "pyarrow" in sys.modules:
        return
    sys.modules["pyarrow"] = None  # type: ignore[assignment]  # which makes an import fail
    try:
        importlib.import_module("chdb.state")
    finally:
        del sys.modules["pyarrow"]


class Engine(Protocol):
    """What runs ClickHouse in this process."""

    def command(self, sql: str) -> object:
        """Runs one statement."""


async def return_freed_memory(engine: Engine, *, calm_seconds: Callable[[], float]) -> None:
    """Gives memory back to the system soon after the engine has freed it; works until cancelled.

    The engine's allocator keeps what an insert or a merge has used for ten seconds and more: at 1,000 spans a second
    that is as much as everything in use. It is left alone until inserts have left pauses for a while.
    """
    least = 0
    while True:
        await asyncio.sleep(LOOK_EVERY_SECONDS)
        resident = resident_bytes()
        least = min(least, resident)
        if calm_seconds() > CALM_SECONDS and resident > least + FREED_BYTES:
            await asyncio.to_thread(_purge, engine)
            least = resident_bytes()


def _purge(engine: Engine) -> None:
    try:
        engine.command("SYSTEM JEMALLOC PURGE")
    except (Error, StoreUnavailableError) as error:
        logger.debug("memory: the engine keeps what it has freed reason=%s", error)


def resident_bytes() -> int:
    """Memory of this process, without what it shares with files; 0 where the system does not say."""
    try:
        _, resident, of_files, *_ = Path("/proc/self/statm").read_text().split()
    except OSError:
        return 0
    return (int(resident) - int(of_files)) * os.sysconf("SC_PAGE_SIZE")
