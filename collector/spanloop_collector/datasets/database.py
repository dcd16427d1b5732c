"""What datasets need of the store. Calls block: use them in a thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class Database(Protocol):
    """The store, as far as datasets are concerned."""

    @property
    def database(self) -> str:
        """Name of the database that holds our tables."""
        ...

    @property
    def cluster(self) -> str:
        """Name of the cluster, '' for one server."""
        ...

    def query(
        self, sql: str, parameters: dict[str, Any] | None = None, settings: Mapping[str, Any] | None = None
    ) -> Any:
        """Rows of a query."""
        ...

    def command(self, sql: str, parameters: dict[str, Any] | None = None) -> object:
        """Runs one statement."""
        ...

    def insert_rows(self, table: str, rows: Sequence[Sequence[Any]], columns: Sequence[str]) -> None:
        """Inserts rows into one of our tables."""
        ...
