"""Human review: rows queued for people, claimed one by one, and corrected where they are."""

from __future__ import annotations

from spanloop_collector.query.queries import Queries
from spanloop_collector.review.corrections import (
    AddScores,
    Feedback,
    WriteDatasetRows,
    correct_dataset_row,
    correct_eval_row,
    correct_log,
)
from spanloop_collector.review.operations import ReviewOperations
from spanloop_collector.review.queue import ReviewQueue
from spanloop_collector.store import Store

__all__ = ["ReviewOperations", "ReviewQueue", "review_operations"]


def review_operations(
    store: Store,
    queries: Queries,
    *,
    feedback: Feedback,
    write_dataset_rows: WriteDatasetRows,
    add_scores: AddScores,
    default_project: str,
) -> ReviewOperations:
    """ReviewService; corrections go through RowService, DatasetService and ExperimentService."""
    return ReviewOperations(
        store,
        ReviewQueue(store),
        statements=queries,
        correct={
            "logs": correct_log(feedback),
            "eval_rows": correct_eval_row(add_scores),
            "dataset_rows": correct_dataset_row(write_dataset_rows),
        },
        default_project=default_project,
    )
