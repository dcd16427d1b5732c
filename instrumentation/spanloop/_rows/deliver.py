"""The queue of rows: like that of spans, with the API at its other end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spanloop._health import Health
from spanloop._mask import Mask
from spanloop._outbox import Bounds, Outbox
from spanloop._rows.queue import Queued, encoder
from spanloop._rows.send import RowSender
from spanloop._settings import Settings
from spanloop._spill import open_spill
from spanloop._transport.api import api_url

if TYPE_CHECKING:
    from spanloop._deliver import Delivery


def open_rows(settings: Settings, delivery: Delivery, mask: Mask | None) -> Outbox[Queued]:
    """A queue that `delivery` flushes, closes and carries over forks with its own."""
    sender = RowSender(
        settings,
        flush_spans=delivery.spans.flush,
        again=lambda item, size: outbox.put(item, size),
    )
    bounds = Bounds(
        settings.max_queue_bytes,
        settings.max_queue_items,
        settings.flush_interval_seconds,
        settings.request_timeout_seconds,
    )
    health = Health(api_url(settings), where="api_url= or SPANLOOP_API_URL")
    outbox: Outbox[Queued] = Outbox(
        "rows",
        bounds,
        health,
        encode=encoder(mask, delivery.keeper),
        send=sender.send,
        spill=open_spill(settings, "rows"),
    )
    delivery.carry(outbox, sender)
    return outbox
