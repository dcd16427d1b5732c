"""Rows of experiments, written straight into the store."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from opentelemetry.proto.trace.v1.trace_pb2 import Span
from spanloop_collector.store import Store

from tests.collector.schema.spans import END, START, span, store_spans


def case(
    experiment: str,
    input: object,
    scores: Mapping[str, float] | None = None,
    *,
    output: object = "out",
    error: str = "",
    metadata: Mapping[str, Any] | None = None,
    metrics: Mapping[str, float] | None = None,
    origin: Mapping[str, str] | None = None,
    **fields: Any,
) -> Span:
    """The root row of one trial."""
    attributes = {
        "spanloop.experiment_id": experiment,
        "spanloop.type": "eval",
        "spanloop.input": json.dumps(input),
        "spanloop.output": json.dumps(output),
        "spanloop.expected": json.dumps("right"),
        "spanloop.scores": json.dumps(scores or {}),
    }
    given = {"metadata": metadata, "metrics": metrics, "origin": origin}
    attributes |= {f"spanloop.{name}": json.dumps(value) for name, value in given.items() if value}
    if error:
        attributes["spanloop.error"] = error
    return span(attributes, name="eval", **fields)


def model_call(parent: Span, experiment: str, *, tokens: int, **attributes: str) -> Span:
    """A model call below a case."""
    return span(
        {
            "spanloop.experiment_id": experiment,
            "spanloop.type": "llm",
            "gen_ai.usage.input_tokens": tokens,
            "gen_ai.usage.output_tokens": 1,
            **attributes,
        },
        name="chat",
        trace_id=parent.trace_id,
        parent_span_id=parent.span_id,
        start_time_unix_nano=START,
        end_time_unix_nano=END,
    )


def store_cases(store: Store, *spans: Span | Iterable[Span], project: str = "p") -> None:
    """Makes the spans rows."""
    flat = [each for item in spans for each in ([item] if isinstance(item, Span) else item)]
    store_spans(store, *flat, project=project)
