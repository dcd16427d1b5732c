"""A ClickHouse with the table of keys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from spanloop_collector.settings import StoreSettings

from tests.support.plain_store import PlainStore


@pytest.fixture
def store(store_settings: StoreSettings, embedded_directory: Path, tmp_path: Path) -> Iterator[PlainStore]:
    """A database with `api_keys`, once embedded and once on a server."""
    store = PlainStore(store_settings, embedded_directory, tmp_path)
    store.create_keys_table()
    yield store
    store.close()
