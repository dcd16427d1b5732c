"""ReviewService: rows queued for people, claimed, corrected, skipped."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from spanloop.v1 import review_pb2

from spanloop_collector.api.json_codec import write_json
from spanloop_collector.api.operations import Call
from spanloop_collector.api.row_input import read_json_fields
from spanloop_collector.errors import ConflictError, NotFoundError, QueryError, invalid
from spanloop_collector.query.expression import without_our_question
from spanloop_collector.query.queries import Queries
from spanloop_collector.review.answers import item_message
from spanloop_collector.review.item import DONE, STATUSES, ReviewItem
from spanloop_collector.review.queue import ReviewQueue, Stored
from spanloop_collector.review.sources import SOURCES, RowDatabase, Source, read_row, selection
from spanloop_collector.store.changes import Actor

DEFAULT_QUEUE = "default"
DEFAULT_ROWS = 1000
MAX_ROWS = 100_000
DEFAULT_LIST = 100
MAX_LIST = 10_000
DEFAULT_CLAIM_MINUTES = 30
MAX_CLAIM_MINUTES = 24 * 60
MAX_TEXT_CHARACTERS = 200

Correct = Callable[[Stored, Mapping[str, Any], review_pb2.SubmitReviewRequest, Call], Awaitable[None]]
"""Writes what a review says to the row behind an item, which is given as it is now."""


class ReviewOperations:
    """The operations of ReviewService."""

    def __init__(
        self,
        store: RowDatabase,
        queue: ReviewQueue,
        *,
        statements: Queries,
        correct: Mapping[str, Correct],
        default_project: str,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`correct` says, by source, how a correction lands on its row; other sources cannot be reviewed."""
        self._store = store
        self._queue = queue
        self._statements = statements
        self._correct = correct
        self._default_project = default_project
        self._now = now

    async def queue_reviews(
        self, request: review_pb2.QueueReviewsRequest, call: Call
    ) -> review_pb2.QueueReviewsResponse:
        """Rows that match a condition, put in a queue."""
        project = call.project(request.project, self._default_project)
        source = self._source(request.source)
        limit = _within(request.limit, "limit", default=DEFAULT_ROWS, most=MAX_ROWS)
        _short(request.queue, "queue")
        _short(request.assignee, "assignee")
        try:
            result = await self._statements.run(
                selection(source, where=request.where, limit=limit),
                principal=call.principal,
                parameters={"project": project},
                default_format="JSONEachRow",
            )
        except QueryError as error:
            raise invalid("where", without_our_question(str(error))) from error
        rows = [json.loads(line) for line in result.data.splitlines()]
        items = [self._item(request, source, row) for row in rows]
        queued, known = await asyncio.to_thread(self._queue.add, project, items, _actor(request.reviewer, call))
        return review_pb2.QueueReviewsResponse(queued=queued, known=known)

    async def list_reviews(self, request: review_pb2.ListReviewsRequest, call: Call) -> review_pb2.ListReviewsResponse:
        """Items of a queue, oldest first."""
        project = call.project(request.project, self._default_project)
        if request.status not in ("", *STATUSES):
            raise invalid("status", f"expected one of {', '.join(STATUSES)}, got {request.status!r:.100}")
        found = await asyncio.to_thread(
            self._queue.items,
            project,
            queue=request.queue,
            status=request.status,
            assignee=request.assignee,
            limit=_within(request.limit, "limit", default=DEFAULT_LIST, most=MAX_LIST),
        )
        return review_pb2.ListReviewsResponse(items=[self._answer(stored) for stored in found])

    async def get_review(self, request: review_pb2.GetReviewRequest, call: Call) -> review_pb2.ReviewItem:
        """One item with its row."""
        project = call.project(request.project, self._default_project)
        stored = await asyncio.to_thread(self._queue.find, project, request.id)
        return await self._with_row(stored)

    async def claim_review(self, request: review_pb2.ClaimReviewRequest, call: Call) -> review_pb2.ClaimReviewResponse:
        """The next item for a reviewer, or a certain one, with its row."""
        project = call.project(request.project, self._default_project)
        actor = _reviewer(request.reviewer, call)
        minutes = _within(request.minutes, "minutes", default=DEFAULT_CLAIM_MINUTES, most=MAX_CLAIM_MINUTES)

        def claim() -> Stored | None:
            if request.id:
                return self._queue.claim(project, request.id, actor, seconds=minutes * 60)
            return self._queue.claim_next(project, request.queue, actor, seconds=minutes * 60)

        stored = await asyncio.to_thread(claim)
        return review_pb2.ClaimReviewResponse(item=await self._with_row(stored) if stored else None)

    async def assign_review(self, request: review_pb2.AssignReviewRequest, call: Call) -> review_pb2.ReviewItem:
        """The item, left to one person or to anyone."""
        project = call.project(request.project, self._default_project)
        _short(request.assignee, "assignee")
        actor = _actor(request.reviewer, call)
        return self._answer(await asyncio.to_thread(self._queue.assign, project, request.id, request.assignee, actor))

    async def submit_review(self, request: review_pb2.SubmitReviewRequest, call: Call) -> review_pb2.ReviewItem:
        """The item, done; its row has the correction when this returns."""
        project = call.project(request.project, self._default_project)
        actor = _reviewer(request.reviewer, call)
        given = read_json_fields(request, "review", ("scores", "expected"))
        stored = await asyncio.to_thread(self._queue.find, project, request.id)
        reviewed = _reviewed(stored.item, request, given, actor)
        if stored.item.status == DONE and stored.item == reviewed:
            # The answer to the first try was lost on its way.
            return self._answer(stored)
        # Claimed first: of two people who submit at once, only one may touch the row.
        stored = await asyncio.to_thread(
            self._queue.claim, project, request.id, actor, seconds=DEFAULT_CLAIM_MINUTES * 60
        )
        row = await asyncio.to_thread(read_row, self._store, project, stored.item)
        if row is None:
            raise NotFoundError(f"the row {stored.item.row_id!r} of item {stored.id} is no longer there; skip the item")
        await self._correct[stored.item.source](stored, row, request, call)
        done = await asyncio.to_thread(
            self._queue.change,
            project,
            request.id,
            "reviewed",
            actor,
            lambda item: _still_mine(request.id, item, actor, _reviewed(item, request, given, actor)),
            comment=request.comment,
            row_changes=_row_changes(row, given, list(request.tags)),
        )
        return self._answer(done)

    async def skip_review(self, request: review_pb2.SkipReviewRequest, call: Call) -> review_pb2.ReviewItem:
        """The item, ended without a verdict."""
        project = call.project(request.project, self._default_project)
        actor = _actor(request.reviewer, call)
        return self._answer(await asyncio.to_thread(self._queue.skip, project, request.id, actor, request.comment))

    async def requeue_review(self, request: review_pb2.RequeueReviewRequest, call: Call) -> review_pb2.ReviewItem:
        """The item, pending again."""
        project = call.project(request.project, self._default_project)
        actor = _actor(request.reviewer, call)
        return self._answer(await asyncio.to_thread(self._queue.requeue, project, request.id, actor, request.comment))

    def _source(self, named: str) -> Source:
        if (named or "logs") not in self._correct:
            raise invalid("source", f"expected one of {', '.join(self._correct)}, got {named!r:.100}")
        return SOURCES[named or "logs"]

    def _item(self, request: review_pb2.QueueReviewsRequest, source: Source, row: Mapping[str, str]) -> ReviewItem:
        return ReviewItem(
            queue=request.queue or DEFAULT_QUEUE,
            source=source.view,
            object_id=row["review_object_id"],
            row_id=row["id"],
            trace_id=row["review_trace_id"],
            created=self._now(),
            assignee=request.assignee,
        )

    def _answer(self, stored: Stored) -> review_pb2.ReviewItem:
        return item_message(stored, now=self._now())

    async def _with_row(self, stored: Stored) -> review_pb2.ReviewItem:
        message = self._answer(stored)
        row = await asyncio.to_thread(read_row, self._store, stored.project, stored.item)
        if row is not None:
            message.row = write_json(row)
        return message


def _reviewed(
    item: ReviewItem, request: review_pb2.SubmitReviewRequest, given: Mapping[str, Any], actor: Actor
) -> ReviewItem:
    return replace(
        item,
        status=DONE,
        claimed_by="",
        claimed_until=0.0,
        reviewed_by=actor.name,
        scores=given.get("scores") or {},
        expected=given.get("expected"),
        has_expected="expected" in given,
        comment=request.comment,
    )


def _still_mine(id: str, item: ReviewItem, actor: Actor, reviewed: ReviewItem) -> ReviewItem:
    if item.claimed_by != actor.name:
        raise ConflictError(f"item {id} was taken from {actor.name} while the review was written")
    return reviewed


def _row_changes(row: Mapping[str, Any], given: Mapping[str, Any], tags: list[str]) -> dict[str, Any]:
    """What the review changes on the row, for the audit log: by field, [before, after]."""
    scores = row.get("scores") or {}
    changes: dict[str, Any] = {
        f"row.scores.{name}": [scores.get(name), score] for name, score in (given.get("scores") or {}).items()
    }
    if "expected" in given:
        changes["row.expected"] = [row.get("expected"), given["expected"]]
    if tags:
        changes["row.tags"] = [row.get("tags"), [*(row.get("tags") or []), *tags]]
    return changes


def _actor(name: str, call: Call) -> Actor:
    _short(name, "reviewer")
    return Actor(name or call.principal.key_id or "anonymous", call.principal.key_id)


def _reviewer(name: str, call: Call) -> Actor:
    if not name:
        raise invalid("reviewer", "say who reviews, for example by an e-mail address")
    return _actor(name, call)


def _short(text: str, field: str) -> None:
    if len(text) > MAX_TEXT_CHARACTERS:
        raise invalid(field, f"is longer than {MAX_TEXT_CHARACTERS} characters")


def _within(number: int, field: str, *, default: int, most: int) -> int:
    if not 0 <= number <= most:
        raise invalid(field, f"expected a number up to {most}, got {number}")
    return number or default
