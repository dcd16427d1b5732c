"""Starting while ClickHouse is away: the collector accepts, and the schema follows as soon as it answers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from clickhouse_connect.driver.exceptions import Error

from spanloop_collector.errors import ConfigError, StoreUnavailableError
from spanloop_collector.store.address import server_address
from spanloop_collector.store.store import Store

TRY_EVERY_SECONDS = 2.0

logger = logging.getLogger(__name__)


@asynccontextmanager
async def keep_trying_to_migrate(store: Store) -> AsyncIterator[None]:
    """The schema is up to date on entry, or will be as soon as the server answers.

    Raises ConfigError where an embedded ClickHouse cannot be opened, and for masks that ClickHouse does not understand:
    no later try would help.
    """
    trying: asyncio.Task[None] | None = None
    try:
        await asyncio.to_thread(store.migrate)
    except (StoreUnavailableError, Error) as error:
        if store.is_embedded:
            raise ConfigError(
                f"the embedded ClickHouse in {store.data_dir / 'clickhouse'} cannot be opened: {error}"
            ) from error
        logger.warning("store: ClickHouse is not ready, accepting into the spool meanwhile reason=%s", error)
        trying = asyncio.create_task(_try_until_done(store))
    try:
        yield
    finally:
        if trying:
            trying.cancel()
            with suppress(asyncio.CancelledError):
                await trying


def describe(store: Store) -> str:
    """ClickHouse's version and place in a few words, without passwords."""
    place = f"embedded in {store.data_dir / 'clickhouse'}"
    if not store.is_embedded:
        server = server_address(store.settings.clickhouse_url)
        place = f"at {server.host}:{server.port}"
    try:
        (version,) = store.column("SELECT version()")
    except (StoreUnavailableError, Error):
        return f"{place} (does not answer yet)"
    return f"{version} {place}"


async def _try_until_done(store: Store) -> None:
    while True:
        await asyncio.sleep(TRY_EVERY_SECONDS)
        try:
            await asyncio.to_thread(store.migrate)
        except (StoreUnavailableError, Error) as error:
            logger.debug("store: still not ready reason=%s", error)
        except ConfigError as error:
            logger.error("store: nothing is stored before this is mended and the collector started again: %s", error)
            return
        else:
            logger.info("store: ClickHouse answers, the schema is up to date")
            return
