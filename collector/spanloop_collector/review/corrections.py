"""How a review's correction lands on its row, for each kind of row."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from spanloop.v1 import datasets_pb2, experiments_pb2, review_pb2, rows_pb2

from spanloop_collector.api.json_codec import parse_json, write_json
from spanloop_collector.api.operations import Call
from spanloop_collector.review.operations import Correct
from spanloop_collector.review.queue import Stored

Feedback = Callable[[rows_pb2.FeedbackRequest, Call], Awaitable[Any]]
WriteDatasetRows = Callable[[datasets_pb2.WriteDatasetRowsRequest, Call], Awaitable[Any]]
AddScores = Callable[[experiments_pb2.AddScoresRequest, Call], Awaitable[Any]]


def correct_log(feedback: Feedback) -> Correct:
    """The correction of a production call: feedback from its reviewer, merged into the row."""

    async def correct(
        stored: Stored, row: Mapping[str, Any], request: review_pb2.SubmitReviewRequest, call: Call
    ) -> None:
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


def correct_dataset_row(write: WriteDatasetRows) -> Correct:
    """The correction of a row of a dataset: a new version of it. It has no scores: they go to its metadata."""

    async def correct(
        stored: Stored, row: Mapping[str, Any], request: review_pb2.SubmitReviewRequest, call: Call
    ) -> None:
        changed = datasets_pb2.DatasetRow(id=stored.item.row_id, metadata=write_json({"review": _verdict(request)}))
        if request.tags:
            changed.tags.extend(dict.fromkeys([*(row.get("tags") or []), *request.tags]))
        if request.HasField("expected"):
            changed.expected = request.expected
        await write(
            datasets_pb2.WriteDatasetRowsRequest(dataset_id=stored.item.object_id, rows=[changed], is_merge=True), call
        )

    return correct


def correct_eval_row(add_scores: AddScores) -> Correct:
    """What people say about a row of an experiment: later scores. The row stays what the run made it.

    The corrected answer and the comment are in the scores' metadata, and in `review_queue`.
    """

    async def correct(
        stored: Stored, row: Mapping[str, Any], request: review_pb2.SubmitReviewRequest, call: Call
    ) -> None:
        verdict = _verdict(request)
        if request.HasField("expected"):
            verdict["expected"] = parse_json(request.expected)
        scores = [
            experiments_pb2.LaterScore(
                id=stored.item.row_id, name=name, score=score, metadata=write_json(verdict), source=request.reviewer
            )
            for name, score in verdict.pop("scores").items()
        ]
        if scores:
            await add_scores(
                experiments_pb2.AddScoresRequest(
                    project=stored.project, experiment=stored.item.object_id, scores=scores
                ),
                call,
            )

    return correct


def _verdict(request: review_pb2.SubmitReviewRequest) -> dict[str, Any]:
    scores = parse_json(request.scores) if request.HasField("scores") else None
    verdict = {"by": request.reviewer, "scores": {k: v for k, v in (scores or {}).items() if v is not None}}
    return verdict | ({"comment": request.comment} if request.comment else {})
