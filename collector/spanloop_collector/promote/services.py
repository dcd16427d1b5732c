"""The services around datasets, which share what keeps writers of one dataset apart."""

from __future__ import annotations

from typing import Any

from spanloop_collector.api.row_locks import KeyedLocks
from spanloop_collector.datasets.clock import VersionClock
from spanloop_collector.datasets.leftovers import Leftovers
from spanloop_collector.datasets.operations import DatasetOperations
from spanloop_collector.promote.operations import PromoteOperations
from spanloop_collector.query.queries import Queries
from spanloop_collector.store import Store


def dataset_services(store: Store, queries: Queries, *, default_project: str) -> dict[str, Any]:
    """DatasetService and PromoteService."""
    clock, locks, leftovers = VersionClock(), KeyedLocks(), Leftovers(store)
    return {
        "DatasetService": DatasetOperations(
            store, clock=clock, locks=locks, leftovers=leftovers, default_project=default_project
        ),
        "PromoteService": PromoteOperations(
            store, queries, clock=clock, locks=locks, leftovers=leftovers, default_project=default_project
        ),
    }
