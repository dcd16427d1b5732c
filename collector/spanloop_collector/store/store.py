"""One ClickHouse database: statements, queries and OTLP inserts, over a pool of clients."""

from __future__ import annotations

import queue
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, OperationalError
from clickhouse_connect.driver.query import QueryResult

from spanloop_collector.errors import StoreUnavailableError
from spanloop_collector.schema import migrate
from spanloop_collector.schema.inserts import INSERTS, from_body, from_file, otlp_schema
from spanloop_collector.schema.masking import Mask
from spanloop_collector.settings import StoreSettings
from spanloop_collector.spool.record import Buffer
from spanloop_collector.store.bells import Bells
from spanloop_collector.store.connect import connect
from spanloop_collector.store.deliver import as_file, send
from spanloop_collector.store.mask_check import check_mask
from spanloop_collector.telemetry import STATEMENTS

LONG_STATEMENTS = {"max_query_size": str(64 * 1024 * 1024)}
"""Some statements carry a table."""


class Store:
    """The database that holds everything but the spool. Safe to use from several threads."""

    def __init__(self, settings: StoreSettings, data_dir: Path) -> None:
        self.settings = settings
        self.data_dir = data_dir
        self.bells = Bells()
        self._is_migrated = False
        self._idle: queue.LifoQueue[Client] = queue.LifoQueue()
        self._otlp_schema = otlp_schema()
        self._mask = Mask.read(settings.mask_keys, settings.mask_patterns)

    @classmethod
    def open(cls, settings: StoreSettings, data_dir: Path) -> Store:
        """Connects, and brings the schema up to date.

        Raises StoreUnavailableError where ClickHouse cannot be reached.
        """
        store = cls(settings, data_dir)
        store.migrate()
        return store

    @property
    def database(self) -> str:
        """Name of the database that holds our tables."""
        return self.settings.database

    @property
    def cluster(self) -> str:
        """Name of the cluster, '' for one server."""
        return self.settings.cluster

    @property
    def is_embedded(self) -> bool:
        """Whether ClickHouse runs inside this process."""
        return not self.settings.clickhouse_url

    def migrate(self) -> None:
        """Brings the schema up to date; inserts of OTLP wait for it.

        Raises ConfigError for masks that cannot work.
        """
        check_mask(self, self._mask)
        migrate(self, retention_days=self.settings.retention_days)
        self._is_migrated = True
        self.bells.ring(*self.bells.tables)

    def query(
        self, sql: str, parameters: dict[str, Any] | None = None, settings: Mapping[str, Any] | None = None
    ) -> QueryResult:
        """Rows of a query."""
        with self.client() as client:
            return client.query(sql, parameters=parameters, settings=dict(settings or {}))

    def column(self, sql: str, parameters: dict[str, Any] | None = None) -> list[Any]:
        """The first column of a query's result."""
        return [row[0] for row in self.query(sql, parameters).result_rows]

    def command(self, sql: str, parameters: dict[str, Any] | None = None) -> object:
        """Runs one statement."""
        with self.client() as client:
            return client.command(sql, parameters=parameters)

    def insert_rows(self, table: str, rows: Sequence[Sequence[Any]], columns: Sequence[str]) -> None:
        """Inserts rows into one of our tables; values in the order of `columns`."""
        with self.client() as client:
            client.insert(table, rows, column_names=columns, database=self.database)
        self.bells.ring(table)

    def insert_otlp(self, signal: str, requests: Buffer | Path, *, token: str) -> None:
        """Inserts OTLP export requests, each with its length before it, or a file of them.

        The same token again, even much later, inserts nothing. Raises ClickHouse's DatabaseError where it refuses the
        requests, StoreUnavailableError where it is away.
        """
        if not self._is_migrated:
            raise StoreUnavailableError("the schema is not up to date yet")
        insert = INSERTS[signal]
        settings = self._format_schema(insert.message) | {"insert_deduplication_token": token}
        with self.client() as client:
            if self.is_embedded:
                with as_file(requests, self.data_dir) as path:
                    client.command(from_file(insert, self.database, settings, self._mask, path))
            else:
                send(client, from_body(insert, self.database, settings, self._mask), requests)
        self.bells.ring(insert.table)

    def close(self) -> None:
        """Closes every idle client; call it once nothing is in flight."""
        while not self._idle.empty():
            self._idle.get_nowait().close()

    def _format_schema(self, message: str) -> dict[str, str]:
        """Settings that tell ClickHouse how to read the message.

        A server takes the schema as text; the embedded engine would write that text into the folder the
        process was started in, so it gets a file of its own.
        """
        if not self.is_embedded:
            return {
                "format_schema_source": "string",
                "format_schema": self._otlp_schema,
                "format_schema_message_name": message,
            }
        path = self.data_dir / "otlp.proto"
        if not path.exists() or path.read_text() != self._otlp_schema:
            path.write_text(self._otlp_schema)
        return {"format_schema_source": "file", "format_schema": f"{path.absolute()}:{message}"}

    @contextmanager
    def client(self) -> Iterator[Client]:
        """A client for one query, back in the pool afterwards unless its connection broke."""
        client = self._take_client()
        STATEMENTS.inc()
        try:
            yield client
        except OperationalError as error:
            client.close()
            raise StoreUnavailableError(f"ClickHouse cannot be reached: {error}") from error
        except BaseException:
            # A statement that failed leaves the client usable; one that was interrupted may not.
            client.close()
            raise
        self._idle.put(client)

    def _take_client(self) -> Client:
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            pass
        try:
            return connect(self.settings, self.data_dir, extra_settings=LONG_STATEMENTS)
        except (ClickHouseError, OSError) as error:
            raise StoreUnavailableError(f"ClickHouse cannot be reached: {error}") from error
