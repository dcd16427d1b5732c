"""The spans of a task's traces, for scorers that look at them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from spanloop_collector.client import ApiClient

MAX_SPANS = 5000
TEXT_COLUMNS = ("input", "output", "expected")

READ_SPANS = """
SELECT id, trace_id, span_id, parent_id, project, name, type, input, output, expected, error, scores, metrics,
    metadata, metadata_json, tags, toString(created) AS created
FROM logs
WHERE project = {project} AND trace_id IN ({traces}) AND type != 'score'
ORDER BY logs.created, span_id
LIMIT {limit}
"""


def read_spans(client: ApiClient, row: str) -> bytes:
    """The spans as JSON text, oldest first; blocks."""
    return spans_text(client.sql_rows(spans_statement(row)))


def spans_statement(row: str) -> str:
    """SQL for the spans that a row's scorer may see."""
    about: dict[str, Any] = json.loads(row)
    return READ_SPANS.format(
        project=_text(about["project"]),
        traces=", ".join(_text(trace_id) for trace_id in about["trace_ids"]),
        limit=MAX_SPANS,
    )


def spans_text(spans: Iterable[dict[str, Any]]) -> bytes:
    """What the statement answered, as a scorer is given it."""
    return json.dumps([_span(span) for span in spans]).encode()


def _span(span: dict[str, Any]) -> dict[str, Any]:
    """The span with JSON texts as their values."""
    json_keys = span.pop("metadata_json")
    span |= {name: json.loads(span[name]) if span[name] else None for name in TEXT_COLUMNS}
    span["metadata"] = {k: json.loads(v) if k in json_keys else v for k, v in span["metadata"].items()}
    return span


def _text(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
