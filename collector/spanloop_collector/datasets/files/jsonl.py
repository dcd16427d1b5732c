"""JSON lines: one object a line; a name that ends in .gz is compressed."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, BinaryIO

from spanloop_collector.datasets.files.records import Numbered, Source
from spanloop_collector.errors import ConfigError


def read(path: Path) -> Source:
    """The objects of a file."""
    return Source(file_size(path), _read_file(path))


def read_stream(stream: IO[bytes]) -> Iterator[Numbered]:
    """The objects of a stream whose end nobody knows."""
    return _read_lines(stream, "standard input", lambda: 0)


def write(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Writes a file."""
    with create(path) as stream:
        write_stream(stream, rows)


def write_stream(stream: IO[bytes], rows: Iterable[Mapping[str, Any]]) -> None:
    """Writes one object a line."""
    for row in rows:
        stream.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")


def file_size(path: Path) -> int:
    """Bytes of a file that is there; raises ConfigError for one that is not."""
    try:
        return path.stat().st_size
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None


def create(path: Path) -> IO[bytes]:
    """A new file; compressed when its name, apart from `.part`, ends in .gz."""
    is_compressed = path.name.removesuffix(".part").endswith(".gz")
    return gzip.open(path, "wb") if is_compressed else path.open("wb")  # type: ignore[return-value]  # takes bytes


def decompressed(raw: BinaryIO, path: Path) -> IO[bytes]:
    """What is in the file, whose name says whether it is compressed."""
    return gzip.GzipFile(fileobj=raw) if path.name.endswith(".gz") else raw  # type: ignore[return-value]  # reads bytes


def _read_file(path: Path) -> Iterator[Numbered]:
    with path.open("rb") as raw:
        yield from _read_lines(decompressed(raw, path), path.name, raw.tell)


def _read_lines(stream: IO[bytes], name: str, position: Any) -> Iterator[Numbered]:
    number = 0
    while line := stream.readline():
        number += 1
        if line.strip():
            where = f"{name}, line {number}"
            yield Numbered(_parse(line, where), position(), where)


def _parse(line: bytes, where: str) -> Mapping[str, Any]:
    try:
        record = json.loads(line)
    except ValueError as error:
        raise ConfigError(f"{where}: is not JSON: {error}") from None
    if not isinstance(record, dict):
        raise ConfigError(f"{where}: expected an object, got {line[:100].decode(errors='replace').strip()}")
    return record
