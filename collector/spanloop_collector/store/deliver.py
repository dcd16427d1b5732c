"""Brings the data of an insert to ClickHouse: through HTTP to a server, as a file to the embedded engine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from clickhouse_connect.driver.client import Client

from spanloop_collector.errors import StoreUnavailableError
from spanloop_collector.spool.record import Buffer

CHUNK_BYTES = 256 * 1024

# A server copies so many bytes of a request to look for the end of the statement.
MAX_STATEMENT_BYTES = 256 * 1024


def send(client: Client, statement: str, data: Buffer | Path) -> None:
    """Posts the statement with the data behind it; a file passes through without ever being in memory whole."""
    head = statement.encode()
    chunks, size = (_chunks(data), data.stat().st_size) if isinstance(data, Path) else (iter([data]), len(data))
    # The client would send an iterator of unknown length in pieces that it copies.
    length = {"Content-Length": str(len(head) + size)}
    body: Any = _behind(head, chunks)
    no_table = ""
    settings = {"max_query_size": MAX_STATEMENT_BYTES}
    client.raw_insert(no_table, insert_block=body, settings=settings, transport_settings=length)


@contextmanager
def as_file(data: Buffer | Path, folder: Path) -> Iterator[Path]:
    """A file that holds the data: the one given, or another for as long as it is needed."""
    if isinstance(data, Path):
        yield data.absolute()
        return
    with NamedTemporaryFile(dir=folder.absolute(), suffix=".otlp") as copy:
        try:
            copy.write(data)
            copy.flush()
        except OSError as error:
            raise StoreUnavailableError(f"no room for an insert in {folder}: {error.strerror}") from error
        yield Path(copy.name)


def _behind(head: bytes, chunks: Iterator[Buffer]) -> Iterator[Buffer]:
    yield head
    yield from chunks


def _chunks(path: Path) -> Iterator[Buffer]:
    """The file piece by piece, each valid until the next."""
    piece = memoryview(bytearray(CHUNK_BYTES))
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        while size := os.readv(descriptor, [piece]):
            yield piece[:size]
    finally:
        os.close(descriptor)
