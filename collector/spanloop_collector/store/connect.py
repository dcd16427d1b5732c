"""Opens clickhouse-connect clients for an embedded ClickHouse or a server."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape

import clickhouse_connect
from clickhouse_connect.driver.client import Client

from spanloop_collector.settings import StoreSettings
from spanloop_collector.store.address import server_address
from spanloop_collector.store.memory import import_engine
from spanloop_collector.store.send_files import file_sending_pool

CONNECT_TIMEOUT_SECONDS = 5
INSERT_TIMEOUT_SECONDS = 300

WORD_INDEX_BYTES = 8 * 1024 * 1024
"""What a part's words may take in memory while it is merged, before they go on on disk: 5 % more work than with the
engine's own 1 GiB, for less than half of a merge's memory. A server has its own, and older ones do not know it."""

QUERY_SETTINGS = {
    # Rewritten to read a part of the map, `metadata['session_id'] = …` no longer matches the index of its values.
    "optimize_functions_to_subcolumns": "0",
    # A condition on the sort key, as on a trace's id, holds for every version of a row or for none: it may come first.
    "optimize_move_to_prewhere_if_final": "1",
    # On a cluster: what is looked up in a subquery is found once, not by every shard in its own rows, and a trace is
    # looked for on its own shard.
    "distributed_product_mode": "global",
    "optimize_skip_unused_shards": "1",
}
"""What our views need to use their indexes; readers from outside get it too."""

SESSION_SETTINGS = QUERY_SETTINGS | {
    # On a cluster, an insert has succeeded when every shard has its rows.
    "distributed_foreground_insert": "1",
    # Blocks must be ours: deduplication tokens speak of whole inserts.
    "async_insert": "0",
    # One request may hold spans of many weeks.
    "max_partitions_per_insert_block": "0",
}


def connect(
    settings: StoreSettings,
    data_dir: Path,
    *,
    extra_settings: dict[str, str] | None = None,
    in_database: bool = False,
) -> Client:
    """A client of its own: a client carries one query at a time.

    With `in_database`, tables that a statement names without a database are ours. Raises clickhouse-connect's errors
    where the server cannot be reached.
    """
    session = SESSION_SETTINGS | (extra_settings or {})
    database = settings.database if in_database else None
    if settings.clickhouse_url:
        return _connect_server(settings.clickhouse_url, session, database)
    return _connect_embedded(settings, data_dir / "clickhouse", session, database)


def _connect_server(url: str, session: dict[str, str], database: str | None) -> Client:
    address = server_address(url)
    return clickhouse_connect.get_client(
        **address.client_options(),
        pool_mgr=file_sending_pool(address),
        settings=dict(session),
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        send_receive_timeout=INSERT_TIMEOUT_SECONDS,
        autogenerate_session_id=False,
        compress=False,
        database=database,
    )


def _connect_embedded(
    settings: StoreSettings, directory: Path, session: dict[str, str], database: str | None
) -> Client:
    directory.mkdir(parents=True, exist_ok=True)
    import_engine()
    return clickhouse_connect.get_client(
        interface="chdb",
        path=str(directory),
        settings=dict(session),
        chdb_options={"config-file": str(_write_engine_config(settings, directory))},
        database=database,
    )


def _write_engine_config(settings: StoreSettings, directory: Path) -> Path:
    """The engine's server settings: what it may hold in memory, and the folder backups may go to."""
    cache = max(settings.max_memory_bytes // 16, 16 * 1024 * 1024)
    path = directory.parent / "clickhouse-embedded.xml"
    path.write_text(
        "<clickhouse>"
        f"<max_server_memory_usage>{settings.max_memory_bytes}</max_server_memory_usage>"
        f"<mark_cache_size>{cache}</mark_cache_size>"
        f"<primary_index_cache_size>{cache}</primary_index_cache_size>"
        f"<merge_tree><text_index_max_memory_usage_before_flush>{WORD_INDEX_BYTES}"
        "</text_index_max_memory_usage_before_flush></merge_tree>"
        f"<backups><allowed_path>{escape(str(directory.parent / 'backups'))}</allowed_path></backups>"
        "</clickhouse>"
    )
    return path
