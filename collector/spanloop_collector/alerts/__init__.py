"""Alerts: SQL asked again and again, and a webhook when its answer crosses a threshold."""

from __future__ import annotations

import asyncio

from spanloop_collector.alerts.evaluator import Evaluator
from spanloop_collector.alerts.operations import AlertOperations
from spanloop_collector.alerts.rules import AlertRules
from spanloop_collector.query.queries import Queries
from spanloop_collector.settings import WebhookSettings
from spanloop_collector.store import Store
from spanloop_collector.webhooks.outbox import Outbox
from spanloop_collector.webhooks.sender import WebhookSender

__all__ = ["AlertOperations", "alert_operations", "watch_alerts"]


def alert_operations(store: Store, queries: Queries, settings: WebhookSettings) -> AlertOperations:
    """AlertService."""
    return AlertOperations(store, AlertRules(store), statements=queries, sender=_sender(settings))


async def watch_alerts(store: Store, queries: Queries, settings: WebhookSettings) -> None:
    """Evaluates alerts and delivers messages until cancelled."""
    outbox = Outbox(store, _sender(settings))
    evaluator = Evaluator(store, AlertRules(store), queries, outbox)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(outbox.run())
        tasks.create_task(evaluator.run())


def _sender(settings: WebhookSettings) -> WebhookSender:
    return WebhookSender(
        allow_private_addresses=settings.allow_private_addresses, timeout_seconds=settings.timeout_seconds
    )
