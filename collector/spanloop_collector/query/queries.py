"""SQL from outside, from its text to the bytes of its result."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from spanloop_collector.errors import QueryError, SpanloopError
from spanloop_collector.keys.principal import Principal, Scope
from spanloop_collector.query import guard
from spanloop_collector.query.catalog import READ_RELATIONS, Catalog, filters_setting, read_catalog
from spanloop_collector.query.client_settings import accepted_settings, limit_settings
from spanloop_collector.query.errands import Errand, Errands, ErrandStore
from spanloop_collector.query.formats import DEFAULT_FORMAT
from spanloop_collector.query.reader import Reader, ReaderAddress, translate
from spanloop_collector.query.readers import ReaderPool
from spanloop_collector.query.server_user import reader_url
from spanloop_collector.query.statement import Statement
from spanloop_collector.settings import QuerySettings, StoreSettings
from spanloop_collector.telemetry import QUERIES

CATALOG_SECONDS = 5.0
MAX_REMEMBERED = 512

# A condition of the reader's and one of the statement's may share a read step, and there the statement's would
# be evaluated on rows of other projects too: an error or a thrown value would tell what they hold. Kept apart,
# the reader's condition has removed those rows first.
ONE_PROJECT_SETTINGS = {
    "optimize_move_to_prewhere": "0",
    "query_plan_merge_filters": "0",
    # Rows read would count the rows of others in the same granules.
    "output_format_write_statistics": "0",
}

logger = logging.getLogger(__name__)


class QueryStore(ErrandStore, Protocol):
    """The store, as far as queries need it. Calls block."""

    @property
    def settings(self) -> StoreSettings: ...

    @property
    def data_dir(self) -> Path: ...


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a statement."""

    data: bytes
    """All of it, in `format`."""
    format: str
    """ClickHouse's name of the format."""
    timezone: str
    """Time zone of the server."""
    elapsed_ns: int
    """From the statement's arrival to the last byte."""


class Queries:
    """Runs statements that come from outside: checked, read-only, limited, one project's rows only."""

    def __init__(self, store: QueryStore, limits: QuerySettings) -> None:
        self._store = store
        self._limits = limits
        self._pool: ReaderPool | None = None
        # Orders the first connection and the reading of the catalog.
        self._preparing = asyncio.Lock()
        self._catalog: Catalog | None = None
        self._catalog_read_at = 0.0
        self._checked: OrderedDict[tuple[str, Catalog], Statement] = OrderedDict()
        self._isolation = ""
        self._errands = Errands(store)

    async def run(
        self,
        sql: str,
        *,
        principal: Principal,
        parameters: Mapping[str, str] | None = None,
        settings: Mapping[str, str] | None = None,
        default_format: str = DEFAULT_FORMAT,
    ) -> Result:
        """The result of a statement. Raises QueryError with ClickHouse's code for one that does not run.

        Cancelled, it ends the statement in ClickHouse as well.
        """
        try:
            with self.errand() as errand:
                result = await self._run(sql, principal, parameters or {}, settings or {}, default_format, errand)
        except asyncio.CancelledError:
            QUERIES.labels("cancelled").inc()
            raise
        except QueryError as error:
            self._count(error, principal)
            raise
        except SpanloopError:
            QUERIES.labels("failed").inc()
            raise
        QUERIES.labels("ok").inc()
        return result

    def errand(self) -> AbstractContextManager[Errand]:
        """For statements of our own that a caller waits for, and that end with the waiting."""
        return self._errands.errand()

    async def checked(self, sql: str, *, principal: Principal) -> tuple[str, dict[str, str]]:
        """The statement as it would run, and the settings that keep it to the principal's project.

        For those who run it as a part of a statement of their own; both belong together.
        """
        principal.require(Scope.READ)
        pool, catalog = await self._prepare()
        try:
            statement = await pool.run(
                self._reader_settings(principal, catalog), lambda reader: self._check(sql, {}, catalog, reader)
            )
        except QueryError as error:
            self._count(error, principal)
            raise
        if not principal.project:
            return statement.sql, {}
        filters = filters_setting(catalog.filters(principal.project))
        return statement.sql, {"additional_table_filters": filters, **ONE_PROJECT_SETTINGS}

    def _count(self, error: QueryError, principal: Principal) -> None:
        """Our own refusals are logged with who asked: what was asked may hold secrets, so its text is not."""
        is_refusal = error.__cause__ is None
        QUERIES.labels("refused" if is_refusal else "failed").inc()
        if is_refusal:
            logger.warning("query: refused key_id=%s code=%d reason=%s", principal.key_id or "-", error.code, error)

    async def isolation(self) -> str:
        """How statements are kept to reading: "user" or "guard"; empty while ClickHouse is away."""
        with suppress(SpanloopError):
            await self._prepare()
        return self._isolation

    async def close(self) -> None:
        """Waits for the statements under way and closes the connections."""
        await self._errands.close()
        if self._pool is not None:
            await asyncio.to_thread(self._pool.close)

    async def _run(
        self,
        sql: str,
        principal: Principal,
        parameters: Mapping[str, str],
        sent: Mapping[str, str],
        default_format: str,
        errand: Errand,
    ) -> Result:
        began = time.monotonic_ns()
        principal.require(Scope.READ)
        accepted = accepted_settings(sent, self._limits)
        pool, catalog = await self._prepare()

        def work(reader: Reader) -> Result:
            statement = self._check(sql, parameters, catalog, reader)
            output_format = statement.format or default_format
            with errand.statement(statement.sql) as marked:
                data = reader.run(marked, parameters, output_format)
            return Result(data, output_format, reader.timezone, time.monotonic_ns() - began)

        return await pool.run(self._reader_settings(principal, catalog) | accepted, work)

    def _check(self, sql: str, parameters: Mapping[str, str], catalog: Catalog, reader: Reader) -> Statement:
        """The checked statement; remembered, since dashboards ask the same again and again."""
        known = self._checked.get((sql, catalog))
        if known is not None:
            return known
        statement = guard.check(sql, parameters=parameters, catalog=catalog, engine=reader)
        self._checked[(sql, catalog)] = statement
        if len(self._checked) > MAX_REMEMBERED:
            self._checked.popitem(last=False)
        return statement

    def _reader_settings(self, principal: Principal, catalog: Catalog) -> dict[str, str]:
        filters = {"additional_table_filters": filters_setting(catalog.filters(principal.project))}
        own = ONE_PROJECT_SETTINGS if principal.project else {}
        return limit_settings(self._limits) | filters | own

    async def _prepare(self) -> tuple[ReaderPool, Catalog]:
        async with self._preparing:
            if self._pool is None:
                self._pool = ReaderPool(await asyncio.to_thread(self._address))
            if self._catalog is None or time.monotonic() > self._catalog_read_at + CATALOG_SECONDS:
                self._catalog = await asyncio.to_thread(self._read_catalog)
                self._catalog_read_at = time.monotonic()
            return self._pool, self._catalog

    def _address(self) -> ReaderAddress:
        url = self._store.settings.clickhouse_url
        if not url:
            self._isolation = "guard"
            return ReaderAddress(self._store.database, path=self._store.data_dir / "clickhouse")
        found = reader_url(self._store, url)
        self._isolation = "guard" if found == url else "user"
        return ReaderAddress(self._store.database, url=found)

    def _read_catalog(self) -> Catalog:
        try:
            rows = self._store.query(READ_RELATIONS, {"database": self._store.database}).result_rows
        except Exception as error:
            translate(error)
        return read_catalog(self._store.database, rows)
