"""Lets go of the code that only the start of the embedded engine has run.

The engine is a library of 550 MB. Opening the database and making its schema runs through 220 MB of it; what comes
afterwards needs half of that, and the rest would count as memory of this process for as long as it lives.
"""

from __future__ import annotations

import asyncio
import ctypes
import logging
from collections.abc import Iterator
from pathlib import Path

LIBRARY = "_chdb"
START_SECONDS = 2.0
MADV_PAGEOUT = 21
"""Pages that hold nothing but what is in their file leave memory; whoever needs one again reads it from there."""

logger = logging.getLogger(__name__)


async def leave_unused_code() -> None:
    """Does so once, soon after the start."""
    await asyncio.sleep(START_SECONDS)
    await asyncio.to_thread(page_out_code)


def page_out_code() -> None:
    """Takes the engine's code out of memory; does nothing where the system cannot."""
    try:
        regions = list(_code_regions())
        madvise = ctypes.CDLL(None, use_errno=True).madvise
    except (OSError, AttributeError):
        return
    for start, end in regions:
        if madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), MADV_PAGEOUT):
            logger.debug("memory: unused code stays errno=%d", ctypes.get_errno())


def _code_regions() -> Iterator[tuple[int, int]]:
    """Where the library's code and constants lie in this process: what is mapped from its file and never written."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        addresses, access, _, _, _, *path = line.split(maxsplit=5)
        if path and Path(path[0]).name.startswith(LIBRARY) and "w" not in access:
            start, end = addresses.split("-")
            yield int(start, 16), int(end, 16)
