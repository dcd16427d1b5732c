"""A baseline and variants of it, run by the application itself against the same tasks."""

from __future__ import annotations

from spanloop_collector.query.queries import Queries
from spanloop_collector.store import Store
from spanloop_collector.variants.operations import VariantOperations
from spanloop_collector.variants.runner import VariantRunner
from spanloop_collector.variants.table import VariantTable
from spanloop_collector.webhooks.outbox import Outbox

__all__ = ["VariantOperations", "run_variants", "variant_operations"]


def variant_operations(store: Store, queries: Queries, *, default_project: str) -> VariantOperations:
    """VariantService."""
    return VariantOperations(store, VariantTable(store), statements=queries, default_project=default_project)


async def run_variants(store: Store, queries: Queries, outbox: Outbox) -> None:
    """Runs variants until cancelled."""
    await VariantRunner(store, VariantTable(store), queries, outbox).run()
