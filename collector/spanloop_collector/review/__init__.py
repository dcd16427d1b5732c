"""Human review: rows queued for people, claimed one by one, and corrected where they are."""

from __future__ import annotations

from spanloop_collector.query.queries import Queries
from spanloop_collector.review.corrections import Feedback, correct_log
from spanloop_collector.review.operations import ReviewOperations
from spanloop_collector.review.queue import ReviewQueue
from spanloop_collector.store import Store

__all__ = ["ReviewOperations", "ReviewQueue", "review_operations"]


def review_operations(store: Store, queries: Queries, *, feedback: Feedback, default_project: str) -> ReviewOperations:
    """ReviewService; `feedback` is RowService's."""
    return ReviewOperations(
        store,
        ReviewQueue(store),
        statements=queries,
        correct={"logs": correct_log(feedback)},
        default_project=default_project,
    )
