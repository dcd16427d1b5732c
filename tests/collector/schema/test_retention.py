"""Old rows are dropped by the time they were received, and only when asked."""

from __future__ import annotations

import time
from pathlib import Path

from spanloop_collector.schema import migrate
from spanloop_collector.settings import StoreSettings
from spanloop_collector.store import Store

from tests.collector.schema.spans import span, store_spans

DAY_NS = 86_400 * 10**9


def names(store: Store) -> list[str]:
    store.command(f"OPTIMIZE TABLE {store.database}.spans FINAL")
    return store.column(f"SELECT name FROM {store.database}.logs ORDER BY name")


def test_rows_older_than_the_retention_go(store_settings: StoreSettings, embedded_directory: Path) -> None:
    store = Store.open(store_settings, embedded_directory.parent)
    now = time.time_ns()
    for name, received in (("old", now - 40 * DAY_NS), ("new", now), ("epoch", now), ("case", now - 40 * DAY_NS)):
        # A span's own time does not matter, and experiments are permanent.
        start = 1 if name == "epoch" else now
        attributes = {"spanloop.experiment_id": "e1"} if name == "case" else {}
        one = span(attributes, name=name, start_time_unix_nano=start, end_time_unix_nano=start)
        store_spans(store, one, received=received)
    assert names(store) == ["epoch", "new", "old"]

    migrate(store, retention_days=30)
    migrate(store, retention_days=30)
    assert names(store) == ["epoch", "new"]
    assert store.column(f"SELECT name FROM {store.database}.eval_rows WHERE experiment_id = 'e1'") == ["case"]

    migrate(store)
    (definition,) = store.column(
        f"SELECT engine_full FROM system.tables WHERE database = '{store.database}' AND name = 'spans'"
    )
    assert "toIntervalDay" not in definition
    store.close()
