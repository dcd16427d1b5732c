"""Brings the data of an insert to ClickHouse: through HTTP to a server, as a file to the embedded engine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, BinaryIO

from clickhouse_connect.driver.client import Client

from spanloop_collector.errors import StoreUnavailableError
from spanloop_collector.spool.record import Buffer

# A server copies so many bytes of a request to look for the end of the statement.
MAX_STATEMENT_BYTES = 256 * 1024


def send(client: Client, statement: str, data: Buffer | Path) -> None:
    """Posts the statement with the data behind it; a file goes from the disk to the socket, past the process."""
    head = statement.encode()
    size = data.stat().st_size if isinstance(data, Path) else len(data)
    # The client would send an iterator of unknown length in pieces that it copies.
    length = {"Content-Length": str(len(head) + size)}
    body: Any = _behind(head, data)
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


def _behind(head: bytes, data: Buffer | Path) -> Iterator[Buffer | BinaryIO]:
    yield head
    if not isinstance(data, Path):
        yield data
        return
    with data.open("rb") as file:
        yield file
