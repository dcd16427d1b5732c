"""Alerts: SQL asked again and again, and a webhook when its answer crosses a threshold."""

from __future__ import annotations

from spanloop_collector.alerts.evaluator import Evaluator
from spanloop_collector.alerts.operations import AlertOperations
from spanloop_collector.alerts.rules import AlertRules
from spanloop_collector.query.queries import Queries
from spanloop_collector.settings import WebhookSettings
from spanloop_collector.store import Store
from spanloop_collector.webhooks.outbox import Outbox
from spanloop_collector.webhooks.sender import sender_of

__all__ = ["AlertOperations", "alert_operations", "watch_alerts"]


def alert_operations(store: Store, queries: Queries, settings: WebhookSettings) -> AlertOperations:
    """AlertService."""
    return AlertOperations(store, AlertRules(store), statements=queries, sender=sender_of(settings))


async def watch_alerts(store: Store, queries: Queries, outbox: Outbox) -> None:
    """Evaluates alerts until cancelled."""
    await Evaluator(store, AlertRules(store), queries, outbox).run()
