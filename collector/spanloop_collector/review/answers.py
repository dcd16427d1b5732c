"""Items of review queues as the API answers them."""

from __future__ import annotations

from datetime import UTC, datetime

from spanloop.v1 import review_pb2

from spanloop_collector.api.json_codec import write_json
from spanloop_collector.review.queue import Stored


def item_message(stored: Stored, *, now: float) -> review_pb2.ReviewItem:
    """The item as it stands, without its row."""
    item = stored.item
    is_claimed = bool(item.claimed_by)
    message = review_pb2.ReviewItem(
        id=stored.id,
        project=stored.project,
        queue=item.queue,
        status=item.status_at(now),
        assignee=item.assignee,
        claimed_by=item.claimed_by,
        claimed_until=_rfc_3339(item.claimed_until) if is_claimed else "",
        source=item.source,
        object_id=item.object_id,
        row_id=item.row_id,
        trace_id=item.trace_id,
        reviewed_by=item.reviewed_by,
        comment=item.comment,
        created=_rfc_3339(item.created),
        version=stored.version,
    )
    if item.scores:
        message.scores = write_json(dict(item.scores))
    if item.has_expected:
        message.expected = write_json(item.expected)
    return message


def _rfc_3339(unix_seconds: float) -> str:
    return datetime.fromtimestamp(unix_seconds, UTC).isoformat(timespec="milliseconds")
