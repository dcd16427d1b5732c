"""How a review's correction lands on its row."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from spanloop.v1 import review_pb2, rows_pb2

from spanloop_collector.api.json_codec import write_json
from spanloop_collector.api.operations import Call
from spanloop_collector.review.operations import Correct
from spanloop_collector.review.queue import Stored

Feedback = Callable[[rows_pb2.FeedbackRequest, Call], Awaitable[Any]]


def correct_log(feedback: Feedback) -> Correct:
    """The correction of a production call: feedback from its reviewer, merged into the row."""

    async def correct(stored: Stored, request: review_pb2.SubmitReviewRequest, call: Call) -> None:
        item = rows_pb2.FeedbackItem(
            id=stored.item.row_id,
            comment=request.comment,
            metadata=write_json({"reviewed_by": request.reviewer}),
            tags=request.tags,
            source="app",
        )
        for name in ("scores", "expected"):
            if request.HasField(name):
                setattr(item, name, getattr(request, name))
        await feedback(rows_pb2.FeedbackRequest(project=stored.project, items=[item]), call)

    return correct
