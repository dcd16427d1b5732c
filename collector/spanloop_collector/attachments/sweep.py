"""Removes attachments that no row refers to."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from spanloop_collector.attachments.keeper import Attachments
from spanloop_collector.attachments.references import referenced
from spanloop_collector.store import Store

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep did."""

    examined: int
    removed: int
    removed_bytes: int


def sweep(
    attachments: Attachments,
    store: Store,
    *,
    project: str,
    older_than_seconds: float,
    dry_run: bool,
    clock: Callable[[], float] = time.time,
) -> Swept:
    """Removes what nobody meant to refer to for a while and no row refers to.

    The age is counted from when a sender last asked for it or sent it: its row may come later, out of a queue.
    """
    examined = list(attachments.all_of(project))
    oldest = clock() - older_than_seconds
    old = [each for each in examined if each.seen < oldest]
    kept = referenced(store, [each.key for each in old]) if old else set()
    unused = [each for each in old if each.key not in kept]
    if not dry_run:
        for each in unused:
            attachments.remove(each)
        logger.info("attachments: swept project=%s examined=%d removed=%d", project, len(examined), len(unused))
    return Swept(len(examined), len(unused), sum(each.size for each in unused))
