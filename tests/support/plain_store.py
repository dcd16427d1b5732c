"""A ClickHouse of one test: the few calls that keys, queries and API rows make, on one client."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import clickhouse_connect
from clickhouse_connect.driver.query import QueryResult
from spanloop_collector.settings import StoreSettings
from spanloop_collector.store.bells import Bells

SERVER_ENGINE = "Atomic"


class PlainStore:
    """A database of its own, with one client; safe to call from several threads."""

    def __init__(self, settings: StoreSettings, embedded_directory: Path, data_dir: Path) -> None:
        dsn = settings.clickhouse_url or f"chdb://{embedded_directory}"
        self.settings = settings
        self.data_dir = data_dir
        # A process may open one embedded directory: every test's data directory leads to the same one.
        (data_dir / "clickhouse").symlink_to(embedded_directory)
        self.database = settings.database
        self.cluster = ""
        self.is_embedded = not settings.clickhouse_url
        # Guards the client: one query at a time each.
        self._lock = threading.Lock()
        self.bells = Bells()
        self._client = clickhouse_connect.get_client(dsn=dsn, autogenerate_session_id=False)
        self.command(f"CREATE DATABASE {self.database} ENGINE = {SERVER_ENGINE}")

    def query(
        self, sql: str, parameters: dict[str, Any] | None = None, settings: Mapping[str, Any] | None = None
    ) -> QueryResult:
        """Rows of a statement."""
        with self._lock:
            return self._client.query(sql, parameters=parameters, settings=dict(settings or {}))

    def command(self, sql: str, parameters: dict[str, Any] | None = None) -> object:
        """Runs a statement that returns little or nothing."""
        with self._lock:
            return self._client.command(sql, parameters=parameters)

    def create_keys_table(self) -> None:
        """Runs the migration that makes `api_keys`."""
        folder = files("spanloop_collector.schema") / "migrations"
        text = (folder / "002_api_keys.sql").read_text()
        values = {"database": self.database, "on_cluster": "", "replacing": "ReplacingMergeTree"}
        for name, value in values.items():
            text = text.replace(f"{{{name}}}", value)
        self.command(text)

    def close(self) -> None:
        """Closes the client; the database goes with the `store_settings` fixture."""
        self._client.close()
