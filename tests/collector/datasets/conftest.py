"""Datasets over both kinds of ClickHouse."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from spanloop_collector.keys.principal import Principal
from spanloop_collector.promote.services import dataset_services
from spanloop_collector.query.queries import Queries
from spanloop_collector.settings import QuerySettings
from spanloop_collector.store import Store

from tests.collector.datasets.service import Service


@pytest.fixture
async def service(store: Store) -> AsyncIterator[Service]:
    """Datasets and promotion of an empty store."""
    queries = Queries(store, QuerySettings())
    yield Service(store, dataset_services(store, queries, default_project="default"), Principal.anonymous())
    await queries.close()
