"""`log_feedback`: what people, or later code, say about a row that is there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from spanloop._failsafe import guarded
from spanloop._fields import UNSET
from spanloop._rows.fields import send_feedback
from spanloop._span import Span


@guarded
def log_feedback(
    id: str | Span,
    *,
    scores: Mapping[str, float | None] | None = None,
    expected: object = UNSET,
    tags: Iterable[str] | None = None,
    comment: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    source: str = "app",
    project: str | None = None,
) -> None:
    """Adds scores, an expected output, tags, a comment or metadata to a row, from any process and at any time.

    `id` is the row's: a span's `span_id`, its `export()`, or the span itself. Scores go from 0 to 1; None clears
    one. Sent in the background; feedback that comes before its row waits for it, for a minute.

        spanloop.log_feedback(request.json["span_id"], scores={"thumbs": 1.0}, comment="just right")
    """
    send_feedback(
        project or "",
        id,
        scores=scores,
        expected=expected,
        tags=tags,
        comment=comment,
        metadata=metadata,
        source=source,
    )
