"""A row between the API and the span that carries it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Json = Any
"""A JSON value as Python has it: None, bool, int, float, str, list or dict."""


@dataclass(frozen=True, slots=True)
class RowIds:
    """What makes two writes the same row."""

    project: str
    id: str
    trace_id: str
    span_id: str
    start_unix_nano: int
    """Part of the sort key: a row keeps it for good."""


class Event(NamedTuple):
    """Something that happened during a span."""

    time_unix_nano: int
    name: str
    attributes: Mapping[str, str]


class Link(NamedTuple):
    """Another span that this one refers to."""

    trace_id: str
    span_id: str
    trace_state: str
    attributes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SpanFacts:
    """What a row has from OTLP beside the row shape; kept when the row is written again."""

    kind: str = ""
    status_code: str = ""
    trace_state: str = ""
    scope_name: str = ""
    scope_version: str = ""
    resource: Mapping[str, str] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredRow:
    """A row as one write brings it, or as ClickHouse has it."""

    ids: RowIds
    parent_id: str
    end_unix_nano: int
    """0 while it runs."""
    name: str
    type: str
    fields: Mapping[str, Json]
    """`input`, `output`, `expected`, `error`, `scores`, `metrics`, `metadata`, `tags`, `origin`: those present.
    `metrics` is without `start` and `end`."""
    span: SpanFacts = field(default_factory=SpanFacts)
    experiment_id: str = ""
    """The experiment whose row this is; empty for a row of `logs`."""
