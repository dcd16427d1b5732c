"""One ClickHouse database: statements, queries and OTLP inserts, over a pool of clients."""

from __future__ import annotations

import queue
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, OperationalError
from clickhouse_connect.driver.query import QueryResult

from spanloop_collector.errors import StoreUnavailableError
from spanloop_collector.schema import migrate
from spanloop_collector.schema.fragments import settings_clause, sql_text
from spanloop_collector.settings import StoreSettings
from spanloop_collector.spool.record import Buffer
from spanloop_collector.store.bells import Bells
from spanloop_collector.store.connect import connect
from spanloop_collector.telemetry import STATEMENTS

OTLP_MESSAGES = {
    "traces": ("otlp_traces", "ExportTraceServiceRequest"),
    "logs": ("otlp_logs", "ExportLogsServiceRequest"),
}
"""By signal: the table its inserts go to, and the message they are made of."""


LATE_INDEXES = {
    "exclude_materialize_skip_indexes_on_insert": (
        "by_trace_id, by_span_id, by_id, by_experiment, by_metadata, by_input_words, by_output_words, by_body_words"
    )
}
"""Indexes of rows are built when parts merge: on insert they would cost as much as everything else.

All but `by_received`, by which what has just come is found without reading what came before.
"""

INSERT_SETTINGS = LATE_INDEXES | {
    "input_format_protobuf_oneof_presence": "1",
    # Where a batch goes, through views into other tables, a second try must not count twice.
    "deduplicate_blocks_in_dependent_materialized_views": "1",
    # Merges and FINAL find older versions of a row; looking for them in each block costs a quarter of an insert.
    "optimize_on_insert": "0",
    # One thread each: inserts run side by side instead.
    "max_insert_threads": "1",
    "max_threads": "1",
    # Nothing of the views' plans gets better by it, and it is a seventh of what an insert costs before its first span.
    "query_plan_enable_optimizations": "0",
    # Compiling expressions takes longer than they run.
    "compile_expressions": "0",
}


OTLP_FORMAT = "ProtobufSingle"

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
        self._otlp_schema = (files("spanloop_collector.schema") / "otlp.proto").read_text()

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
        """Brings the schema up to date; inserts of OTLP wait for it."""
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

    def insert_otlp(self, signal: str, payload: Buffer, *, token: str, file: Path | None = None) -> None:
        """Inserts an OTLP export request. The same token again, even much later, inserts nothing.

        `file` holds the same bytes: the embedded engine, which takes inserts from files only, reads that one.
        Raises ClickHouse's DatabaseError where it refuses the payload, StoreUnavailableError where it is away.
        """
        if not self._is_migrated:
            # Between the tables and the views that fill them, an insert would succeed and store nothing.
            raise StoreUnavailableError("the schema is not up to date yet")
        table, message = OTLP_MESSAGES[signal]
        target = f"{self.database}.{table}"
        settings = INSERT_SETTINGS | self._format_schema(message) | {"insert_deduplication_token": token}
        with self.client() as client:
            if self.is_embedded and file is not None:
                client.command(_insert_from(file, target, settings))
            else:
                # Sent as it lies in memory; `bytes` the client would copy behind the statement first.
                block: Any = memoryview(payload)
                client.raw_insert(target, insert_block=block, fmt=OTLP_FORMAT, settings=settings)
        self.bells.ring(table)

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


def _insert_from(file: Path, table: str, settings: Mapping[str, str]) -> str:
    source = sql_text(str(file.absolute()))
    return f"INSERT INTO {table} FROM INFILE {source} {settings_clause(settings)} FORMAT {OTLP_FORMAT}"
