"""Arguments of `log` and `log_feedback` as what is queued; wrong values are said in the log and left out."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from opentelemetry import trace

from spanloop import _runtime
from spanloop._failsafe import log
from spanloop._fields import UNSET, encodable, error_text, merged_tags, valid_metrics, valid_scores
from spanloop._json import to_json
from spanloop._rows.queue import FEEDBACK, ROWS, queued
from spanloop._span import Span

SOURCES = ("app", "api", "external")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-([0-9a-f]{16})-([0-9a-f]{2})")


def put(kind: str, project: str, plain: dict[str, Any], json_values: Mapping[str, object]) -> None:
    """Queues one row or piece of feedback; does nothing before `init`."""
    runtime = _runtime.active()
    if runtime is None or runtime.put_row is None:
        return
    max_chars = runtime.settings.max_value_chars
    texts = {name: to_json(value, max_chars) for name, value in json_values.items() if value is not UNSET}
    runtime.put_row(*queued(kind, project or runtime.settings.project, plain, texts))


def row_fields(
    *,
    id: str,
    name: str | None,
    type: str | None,
    error: object,
    tags: Iterable[str] | None,
    metrics: Mapping[str, float | None] | None,
    created: float | datetime | None,
    parent: trace.Span | None,
) -> dict[str, Any]:
    """The fields that are sent as they are."""
    fields: dict[str, Any] = {"id": encodable(str(id)), "created": _created(created, metrics or {})}
    for field, value in (("name", name), ("type", type)):
        if value:
            fields[field] = encodable(str(value))
    if error is not None:
        fields["error"] = error_text(error)
    if tags:
        fields["tags"] = list(merged_tags((), tags))
    if parent is not None:
        context = parent.get_span_context()
        fields["trace_id"] = trace.format_trace_id(context.trace_id)
        fields["parent_id"] = trace.format_span_id(context.span_id)
    return fields


def _created(given: float | datetime | None, metrics: Mapping[str, float | None]) -> str:
    """When the row began; a row that exists keeps its own beginning."""
    if isinstance(given, datetime):
        return (given if given.tzinfo else given.astimezone(UTC)).isoformat()
    if given is not None:
        return str(float(given))
    end = metrics.get("end")
    now = time.time()
    return str(min(now, end) if end is not None else now)


def numbers(scores: Mapping[str, float | None] | None, metrics: Mapping[str, float | None] | None) -> dict[str, object]:
    """Scores and metrics without those that are wrong; None clears one."""
    found: dict[str, object] = {}
    if scores and (valid := {**valid_scores(scores), **_cleared(scores)}):
        found["scores"] = valid
    if metrics:
        given = {name: number for name, number in metrics.items() if number is not None}
        if valid := {**valid_metrics(given), **_cleared(metrics)}:
            found["metrics"] = valid
    return found


def _cleared(values: Mapping[str, float | None]) -> dict[str, Any]:
    return {name: None for name, value in values.items() if value is None}


def send_feedback(
    project: str,
    id: str | Span,
    *,
    scores: Mapping[str, float | None] | None,
    expected: object,
    tags: Iterable[str] | None,
    comment: str | None,
    metadata: Mapping[str, Any] | None,
    source: str,
) -> None:
    plain: dict[str, Any] = {"id": rated_id(id), "source": source}
    if not plain["id"]:
        return
    if source not in SOURCES:
        log.error("feedback source %r is none of %s; recorded as app", source, ", ".join(SOURCES))
        plain["source"] = "app"
    if comment:
        plain["comment"] = encodable(str(comment))
    if tags:
        plain["tags"] = list(merged_tags((), tags))
    values = {"expected": expected, "metadata": dict(metadata) if metadata else UNSET, **numbers(scores, None)}
    put(FEEDBACK, project, plain, values)


def rated_id(rated: str | Span) -> str:
    """The row's id: of a span, of its `export()`, or as it was given; "" for a span that is not sent."""
    text = rated.export() if isinstance(rated, Span) else str(rated).strip()
    match = _TRACEPARENT.fullmatch(text.lower())
    if match is None:
        return encodable(text)
    runtime = _runtime.active()
    is_sent = int(match[2], 16) & 1 or (runtime is not None and runtime.settings.keep_errors)
    return match[1] if is_sent else ""


__all__ = ["ROWS", "numbers", "put", "row_fields", "send_feedback"]
