"""Gives back what the embedded engine and the C library have freed, once a burst of spans is over."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from pathlib import Path

from clickhouse_connect.driver.exceptions import Error

from spanloop_collector.errors import StoreUnavailableError
from spanloop_collector.receive.reused_memory import give_back_freed_memory
from spanloop_collector.store import Store
from spanloop_collector.write.merges import CALM_SECONDS

LOOK_EVERY_SECONDS = 0.1
FREED_BYTES = 16 * 1024 * 1024

logger = logging.getLogger(__name__)


async def return_freed_memory(store: Store, calm_seconds: Callable[[], float]) -> None:
    """Gives memory back to the system soon after the engine has freed it; works until cancelled.

    The engine's allocator keeps what an insert or a merge has used for ten seconds and more: at 1,000 spans a second
    that is as much as everything in use. Inserts without a pause take the same memory again and again, a tenth
    slower where it must be had anew: it is left alone until they have left pauses for a while.
    """
    least = 0
    while True:
        await asyncio.sleep(LOOK_EVERY_SECONDS)
        resident = resident_bytes()
        least = min(least, resident)
        if calm_seconds() > CALM_SECONDS and resident > least + FREED_BYTES:
            await asyncio.to_thread(_purge, store)
            least = resident_bytes()


def _purge(store: Store) -> None:
    give_back_freed_memory()
    try:
        store.command("SYSTEM JEMALLOC PURGE")
    except (Error, StoreUnavailableError) as error:
        logger.debug("memory: the engine keeps what it has freed reason=%s", error)


def resident_bytes() -> int:
    """Memory of this process, without what it shares with files; 0 where the system does not say."""
    try:
        _, resident, of_files, *_ = Path("/proc/self/statm").read_text().split()
    except OSError:
        return 0
    return (int(resident) - int(of_files)) * os.sysconf("SC_PAGE_SIZE")
