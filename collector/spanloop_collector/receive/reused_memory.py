"""Memory of one request serves the next.

Left alone, glibc gives what a request has freed back to the system, and asks for it anew with the next one: 80 faults
of a page for each, a quarter of what taking it in costs.
"""

from __future__ import annotations

import ctypes
import sys
from typing import Final

# Names and numbers of glibc's <malloc.h>.
M_TRIM_THRESHOLD: Final = -1
M_MMAP_THRESHOLD: Final = -3

KEPT_BYTES: Final = 32 * 1024 * 1024
"""Freed memory that stays for what comes next."""
LARGE_BYTES: Final = 4 * 1024 * 1024
"""Larger blocks come from the system and go back to it."""


def reuse_freed_memory() -> None:
    """Makes this process keep some; does nothing where the C library is another."""
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)
        mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)


def give_back_freed_memory() -> None:
    """Gives all of it back after all; does nothing where the C library is another."""
    malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if malloc_trim is not None:
        malloc_trim(0)
