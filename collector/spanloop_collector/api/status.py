"""StatusService: how the collector is doing, for `spanloop doctor` and everyone else."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from importlib.metadata import version
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit

from clickhouse_connect.driver.exceptions import Error
from spanloop.v1 import status_pb2

from spanloop_collector.api.operations import Call
from spanloop_collector.errors import SpanloopError
from spanloop_collector.settings import Settings
from spanloop_collector.store.server_checks import server_warnings

REACH_SECONDS = 5.0


class Backlog(Protocol):
    """What waits in a spool."""

    @property
    def bytes(self) -> int: ...

    @property
    def segments(self) -> int: ...

    @property
    def oldest_age_seconds(self) -> float: ...


class SpoolReport(Protocol):
    """A spool, as far as its state is shown."""

    def backlog(self) -> Backlog: ...


class StatusStore(Protocol):
    """The store, as far as its state is shown."""

    @property
    def database(self) -> str: ...

    @property
    def is_embedded(self) -> bool: ...

    def query(self, sql: str, parameters: dict[str, Any] | None = None) -> Any: ...


class StatusOperations:
    """The operations of StatusService."""

    def __init__(
        self,
        settings: Settings,
        *,
        store: StatusStore,
        spools: Mapping[str, SpoolReport],
        dead_letters: Callable[[], Mapping[str, int]],
        reader_isolation: Callable[[], Awaitable[str]],
    ) -> None:
        """`dead_letters` counts them by signal and may block; `reader_isolation` answers "user", "guard" or ""."""
        self._settings = settings
        self._store = store
        self._spools = spools
        self._dead_letters = dead_letters
        self._reader_isolation = reader_isolation
        self._started = time.monotonic()

    async def get_status(self, request: status_pb2.GetStatusRequest, call: Call) -> status_pb2.GetStatusResponse:
        """Everything as it is now; a ClickHouse that is away is told, not raised."""
        letters = await asyncio.to_thread(self._dead_letters)
        store = await self._store_status()
        warnings = [*self._warnings(store), *await self._server_warnings(store)]
        return status_pb2.GetStatusResponse(
            version=version("spanloop"),
            uptime_seconds=time.monotonic() - self._started,
            data_dir=str(self._settings.data_dir),
            disk_free_bytes=shutil.disk_usage(self._settings.data_dir).free,
            keys_required=self._settings.auth.require_keys,
            spools=[self._spool_status(signal, letters.get(signal, 0)) for signal in self._spools],
            warnings=warnings,
            store=store,
            # Read last, so that it is as close to the answer as it can be.
            now_unix_nano=time.time_ns(),
        )

    def _spool_status(self, signal: str, dead_letters: int) -> status_pb2.SpoolStatus:
        backlog = self._spools[signal].backlog()
        return status_pb2.SpoolStatus(
            signal=signal,
            bytes=backlog.bytes,
            max_bytes=self._settings.spool.max_bytes,
            segments=backlog.segments,
            oldest_age_seconds=backlog.oldest_age_seconds,
            dead_letters=dead_letters,
        )

    async def _store_status(self) -> status_pb2.StoreStatus:
        status = status_pb2.StoreStatus(
            is_embedded=self._store.is_embedded,
            address=self._address(),
            database=self._store.database,
        )
        try:
            async with asyncio.timeout(REACH_SECONDS):
                status.version = await asyncio.to_thread(self._read_version)
                status.reader_isolation = await self._reader_isolation()
            status.is_reachable = True
        except TimeoutError:
            status.error = f"no answer within {REACH_SECONDS:g} s"
        except Exception as error:
            # Whatever the client raises is what the operator needs to read.
            status.error = str(error)
        return status

    async def _server_warnings(self, store: status_pb2.StoreStatus) -> list[str]:
        """Of a server that answers; one that went away meanwhile has no more to say."""
        if not store.is_reachable or store.is_embedded:
            return []
        with suppress(TimeoutError, Error, SpanloopError):
            async with asyncio.timeout(REACH_SECONDS):
                return await asyncio.to_thread(server_warnings, self._store)
        return []

    def _read_version(self) -> str:
        return str(self._store.query("SELECT version()").result_rows[0][0])

    def _address(self) -> str:
        url = self._settings.store.clickhouse_url
        return without_password(url) if url else str(self._settings.data_dir / "clickhouse")

    def _warnings(self, store: status_pb2.StoreStatus) -> list[str]:
        warnings = []
        if self._settings.auth.insecure and not self._settings.auth.require_keys:
            warnings.append("anyone who reaches this collector may read and write; turn on auth.require_keys")
        if store.reader_isolation == "guard" and not store.is_embedded:
            warnings.append(
                "the ClickHouse server does not let us make users: SQL from outside is held by checked statements "
                "alone; grant the collector's user CREATE USER and GRANT OPTION for a second wall"
            )
        return warnings


def without_password(url: str) -> str:
    """The address with its password left out."""
    parts = urlsplit(url)
    user, _, host = parts.netloc.rpartition("@")
    name = user.partition(":")[0]
    return urlunsplit(parts._replace(netloc=f"{name}@{host}" if name else host))
