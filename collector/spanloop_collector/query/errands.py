"""What is read for one caller: when the caller stops waiting, its statements end in ClickHouse as well."""

from __future__ import annotations

import asyncio
import logging
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from spanloop_collector.query.refusal import refuse
from spanloop_collector.schema.cluster import on_cluster

KILL = "KILL QUERY {on_cluster} WHERE startsWith(query, '{mark}') ASYNC"
KILL_AGAIN_SECONDS = 0.2
MAX_KILLS = 10

logger = logging.getLogger(__name__)


class ErrandStore(Protocol):
    """The store, as far as errands need it. Calls block."""

    @property
    def database(self) -> str: ...

    @property
    def cluster(self) -> str: ...

    def query(
        self, sql: str, parameters: dict[str, Any] | None = None, settings: Mapping[str, Any] | None = None
    ) -> Any: ...

    def command(self, sql: str, parameters: dict[str, Any] | None = None) -> object: ...


class Errand:
    """Statements for one caller, one after the other. Calls block: use them in a thread."""

    def __init__(self, store: ErrandStore) -> None:
        self._store = store
        # A comment leads each statement: the embedded engine takes no query ids.
        self._mark = f"/* run {uuid.uuid4()} */ "
        self._is_cancelled = False
        self._is_idle = threading.Event()
        self._is_idle.set()

    @property
    def database(self) -> str:
        """Name of the database that holds our tables."""
        return self._store.database

    def query(
        self, sql: str, parameters: dict[str, Any] | None = None, settings: Mapping[str, Any] | None = None
    ) -> Any:
        """Rows of a statement."""
        with self.statement(sql) as marked:
            return self._store.query(marked, parameters, settings)

    @contextmanager
    def statement(self, sql: str) -> Iterator[str]:
        """The statement as it is to be sent, while ClickHouse works on it.

        Raises QueryError for one that nobody waits for any more.
        """
        self._is_idle.clear()
        try:
            if self._is_cancelled:
                raise refuse("QUERY_WAS_CANCELLED", "The statement was cancelled")
            yield self._mark + sql
        finally:
            self._is_idle.set()

    def end(self) -> None:
        """Ends the statement under way, and keeps others from being sent."""
        self._is_cancelled = True
        kill = KILL.format(on_cluster=on_cluster(self._store.cluster), mark=self._mark)
        # The first may come before ClickHouse has the statement.
        for _ in range(MAX_KILLS):
            if self._is_idle.is_set():
                return
            try:
                self._store.command(kill)
            except Exception as error:  # whatever it is, the statement still ends at its time limit
                logger.warning("query: a cancelled statement goes on until its time limit reason=%s", error)
                return
            self._is_idle.wait(KILL_AGAIN_SECONDS)


class Errands:
    """Makes errands, and ends those whose callers are gone."""

    def __init__(self, store: ErrandStore) -> None:
        self._store = store
        self._ending: set[asyncio.Task[None]] = set()

    @contextmanager
    def errand(self) -> Iterator[Errand]:
        """An errand for what is awaited inside: cancelled there, its statements end."""
        errand = Errand(self._store)
        try:
            yield errand
        except asyncio.CancelledError:
            ending = asyncio.create_task(asyncio.to_thread(errand.end))
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)
            raise

    async def close(self) -> None:
        """Waits until those that are being ended have ended."""
        await asyncio.gather(*self._ending)
