"""What a wrapper knows about one operation of a provider's API: how to read its request and its reply."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from spanloop._fields import UNSET


@dataclass(slots=True)
class Opening:
    """What a request says."""

    input: object = UNSET
    attributes: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Closing:
    """What a reply says."""

    output: object = UNSET
    attributes: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    input: object = UNSET
    """What was asked, where that is known only in the end."""
    error: str = ""
    """A failure the provider reports in a reply that arrived."""


class Endpoint(Protocol):
    """One operation. Requests are JSON objects; replies are those, or the client's own objects."""

    operation: str
    """`gen_ai.operation.name`; the span is called this and the model's or agent's name."""

    def read_request(self, body: Mapping[str, Any]) -> Opening: ...

    def read_reply(self, reply: Any) -> Closing: ...

    def join(self, events: list[Mapping[str, Any]]) -> Any:
        """The reply that streamed `events` amount to, complete or not."""

    def is_token(self, event: Mapping[str, Any]) -> bool:
        """Whether the event carries something the model generated."""


def read(value: Any, *path: str) -> Any:
    """`value.a.b`, of objects and dictionaries alike; None where something is missing."""
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)
    return value


def known(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that are there."""
    return {name: value for name, value in values.items() if value is not None}


def split_request(
    body: Mapping[str, Any], shown_as: Mapping[str, str], left_out: Iterable[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """A request's parameters: scalars under their `gen_ai.request.*` name, the rest as metadata."""
    attributes: dict[str, Any] = {}
    metadata: dict[str, Any] = {}
    skipped = set(left_out)
    for name, value in body.items():
        if name in skipped or value is None:
            continue
        if name in shown_as and isinstance(value, str | int | float | bool):
            attributes[shown_as[name]] = value
        else:
            metadata[name] = value
    return attributes, metadata
