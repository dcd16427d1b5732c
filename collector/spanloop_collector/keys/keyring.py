"""All keys in memory, kept fresh from ClickHouse: checking one never waits for the database."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import UTC, datetime

from spanloop_collector.errors import InvalidRequestError, NotFoundError
from spanloop_collector.keys.cache import KeyCache
from spanloop_collector.keys.principal import Scope
from spanloop_collector.keys.record import KeyRecord
from spanloop_collector.keys.secret import KeyText, hash_secret, mint_key
from spanloop_collector.keys.table import KeyTable

logger = logging.getLogger(__name__)


def utc_now() -> datetime:
    """The time now, in the milliseconds that the table keeps; tests pass their own."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


class KeyRing:
    """The keys this collector knows: from the table, from the file beside the spool, and its admin key."""

    def __init__(
        self,
        table: KeyTable,
        cache: KeyCache,
        *,
        now: Callable[[], datetime] = utc_now,
        mint: Callable[[], KeyText] = mint_key,
    ) -> None:
        self._table = table
        self._cache = cache
        self._now = now
        self._mint = mint
        self._records: dict[str, KeyRecord] = {}
        self._own: dict[str, KeyRecord] = {}
        # Orders refreshes and changes: a refresh that began before a revocation must not undo it in memory.
        self._change = asyncio.Lock()
        self._is_table_away = False

    def find(self, key_id: str) -> KeyRecord | None:
        """The key of this id, revoked or not; None when there is none."""
        return self._records.get(key_id) or self._own.get(key_id)

    def add_own(self, record: KeyRecord) -> None:
        """Knows a key of this collector from now on; the next refresh stores it."""
        self._own[record.key_id] = record

    async def start(self) -> None:
        """Reads the file, then the table when it can be reached."""
        self._remember(await asyncio.to_thread(self._cache.read))
        await self._try_refresh()

    async def watch(self) -> None:
        """Keeps the keys fresh until cancelled."""
        with self._table.listen() as bell:
            while True:
                await bell.wait()
                await self._try_refresh()

    async def refresh(self) -> None:
        """Reads the table now; raises when it cannot be reached."""
        async with self._change:
            records = await asyncio.to_thread(self._table.read)
            missing = self._own.keys() - {record.key_id for record in records}
            for key_id in sorted(missing):
                await asyncio.to_thread(self._table.write, self._own[key_id])
                records.append(self._own[key_id])
            await self._keep(records)

    async def create(self, *, name: str, project: str, scopes: Collection[Scope]) -> tuple[KeyRecord, KeyText]:
        """A new key with its text, already stored."""
        if not scopes:
            raise InvalidRequestError("scopes: name at least one of ingest, read, admin", field="scopes")
        text = self._mint()
        record = KeyRecord(
            key_id=text.key_id,
            name=name,
            project=project,
            scopes=frozenset(scopes),
            secret_sha256=hash_secret(text.secret),
            created=self._now(),
        )
        await self._store(record)
        return record, text

    async def revoke(self, key_id: str) -> KeyRecord:
        """The key, ended for good; here at once, elsewhere with the next refresh."""
        await self.refresh()
        record = self.find(key_id)
        if record is None:
            raise NotFoundError(f"key_id: no key {key_id!r}; `spanloop keys list` shows them all")
        if not record.is_revoked:
            record = replace(record, is_revoked=True)
            await self._store(record)
        return record

    async def read_all(self) -> list[KeyRecord]:
        """Every key, oldest first, read from the table now."""
        await self.refresh()
        return sorted(self._records.values(), key=lambda record: (record.created, record.key_id))

    async def _store(self, record: KeyRecord) -> None:
        async with self._change:
            await asyncio.to_thread(self._table.write, record)
            await self._keep([*self._without(record.key_id), record])

    async def _keep(self, records: list[KeyRecord]) -> None:
        if {record.key_id: record for record in records} != self._records:
            self._remember(records)
            await asyncio.to_thread(self._cache.write, records)

    def _without(self, key_id: str) -> list[KeyRecord]:
        return [record for record in self._records.values() if record.key_id != key_id]

    def _remember(self, records: list[KeyRecord]) -> None:
        self._records = {record.key_id: record for record in records}

    async def _try_refresh(self) -> None:
        """Refreshes; a failure is logged when it begins and when it ends, not in between."""
        try:
            await self.refresh()
        except Exception as error:
            # Whatever the store raises: the keys in memory stay good, and the next round tries again.
            if not self._is_table_away:
                logger.warning("keys: cannot read api_keys, using the last known keys error=%s", error)
            self._is_table_away = True
            return
        if self._is_table_away:
            logger.info("keys: reading api_keys again")
        self._is_table_away = False
