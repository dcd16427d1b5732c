"""Claims that run out."""

from __future__ import annotations

import time

import pytest
from spanloop_collector.errors import ConflictError
from spanloop_collector.review.item import IN_PROGRESS, PENDING, ReviewItem
from spanloop_collector.review.queue import ReviewQueue
from spanloop_collector.store import Store
from spanloop_collector.store.changes import Actor

ANNA, BEN = Actor("anna"), Actor("ben")


def test_a_claim_that_ran_out_is_anybodys(store: Store) -> None:
    an_hour_ago = ReviewQueue(store, now=lambda: time.time() - 3600)
    an_hour_ago.add("shop", [ReviewItem("default", "logs", "", "row", "", created=0)], ANNA)
    claimed = an_hour_ago.claim_next("shop", "", ANNA, seconds=1800)
    assert claimed is not None
    with pytest.raises(ConflictError, match="being reviewed by anna"):
        an_hour_ago.claim("shop", claimed.id, BEN, seconds=1800)
    now = ReviewQueue(store)
    [listed] = now.items("shop", queue="", status=PENDING, assignee="", limit=10)
    assert listed.id == claimed.id
    taken = now.claim_next("shop", "", BEN, seconds=1800)
    assert taken is not None
    assert (taken.item.status, taken.item.claimed_by) == (IN_PROGRESS, "ben")
    with pytest.raises(ConflictError, match="being reviewed by ben"):
        now.skip("shop", claimed.id, ANNA, "")
