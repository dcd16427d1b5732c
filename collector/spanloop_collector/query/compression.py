"""Compressed results, in the encodings that ClickHouse clients ask for."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from contextlib import suppress

GZIP_LEVEL = 3

_ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: gzip.compress(data, GZIP_LEVEL, mtime=0),
    "deflate": lambda data: zlib.compress(data, GZIP_LEVEL),
}

# clickhouse-connect brings these along on most versions of Python.
with suppress(ImportError):
    from lz4 import frame  # type: ignore[import-untyped]  # ships no types

    _ENCODERS["lz4"] = frame.compress
with suppress(ImportError):
    from backports import zstd

    _ENCODERS["zstd"] = zstd.compress


def choose_encoding(accept_encoding: str) -> str:
    """The first encoding that the client names and we have; empty for none."""
    for item in accept_encoding.split(","):
        name, _, weight = item.strip().lower().partition(";")
        if name in _ENCODERS and weight.replace(" ", "") not in ("q=0", "q=0.0"):
            return name
    return ""


def encode(data: bytes, encoding: str) -> bytes:
    """The data in that encoding; as it is when there is none."""
    return _ENCODERS[encoding](data) if encoding else data
