"""Whether bytes contain others, by the C library's search where it has one.

Every request is searched for the mark of an experiment. Python's own search reads 4 GB a second, glibc's 19: for
340 KB that is 70 microseconds, a fifteenth of what the collector spends on a request.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable


def _from_libc() -> Callable[[bytes, bytes], bool] | None:
    """`memmem`, which glibc, musl and macOS have."""
    try:
        # Of a PyDLL: calls keep the lock of the interpreter. To give it up and get it back would take longer.
        memmem = ctypes.PyDLL(None).memmem
    except (AttributeError, OSError, TypeError):
        return None
    memmem.restype = ctypes.c_void_p
    memmem.argtypes = (ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t)
    return lambda data, wanted: memmem(data, len(data), wanted, len(wanted)) is not None


def _in_python(data: bytes, wanted: bytes) -> bool:
    return wanted in data


contains = _from_libc() or _in_python
