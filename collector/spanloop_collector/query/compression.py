"""Compressed results and statements, in the encodings that ClickHouse clients speak."""

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

# Each takes the data and the most bytes to give back.
_DECODERS: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": lambda data, most: zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(data, most),
    "deflate": lambda data, most: zlib.decompressobj().decompress(data, most),
}

# clickhouse-connect brings these along on most versions of Python.
with suppress(ImportError):
    from lz4 import frame  # type: ignore[import-untyped]  # ships no types

    _ENCODERS["lz4"] = frame.compress
    _DECODERS["lz4"] = lambda data, most: frame.LZ4FrameDecompressor().decompress(data, most)
with suppress(ImportError):
    from backports import zstd

    _ENCODERS["zstd"] = zstd.compress
    _DECODERS["zstd"] = lambda data, most: zstd.ZstdDecompressor().decompress(data, most)


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


def decode_start(data: bytes, encoding: str, *, max_bytes: int) -> bytes:
    """The first bytes of what was encoded; `data` may be cut off. Raises ValueError for what cannot be decoded."""
    if encoding not in _DECODERS:
        raise ValueError(f"{encoding} is not one of {', '.join(sorted(_DECODERS))}")
    try:
        return _DECODERS[encoding](data, max_bytes)
    except Exception as error:
        # Each library has errors of its own.
        raise ValueError(f"not {encoding}: {error}") from None
