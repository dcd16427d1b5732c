"""A prompt of a request, checked and filled in."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message
from spanloop.scoring.judge import fill
from spanloop.v1 import playground_pb2 as pb
from spanloop.v1 import rules_pb2

from spanloop_collector.api.json_codec import parse_json
from spanloop_collector.errors import invalid
from spanloop_collector.playground.endpoints import Endpoint
from spanloop_collector.playground.wire import RESERVED, Json
from spanloop_collector.score.rule import RuleScorer
from spanloop_collector.score.rule_input import read_scorer

MAX_MESSAGES = 200
MAX_SCORERS = 16


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a provider is asked, and what the answer is scored against."""

    endpoint: Endpoint
    model: str
    messages: tuple[Json, ...]
    """Placeholders filled in."""
    parameters: Mapping[str, Any]
    row: Mapping[str, Any]
    """input, expected and metadata, as scorers take them."""
    scorers: tuple[RuleScorer, ...]


def read_prompt(request: pb.RunPromptRequest, endpoints: Mapping[str, Endpoint]) -> Prompt:
    """The prompt of a request; raises InvalidRequestError that names the field."""
    if request.endpoint not in endpoints:
        known = ", ".join(endpoints) or "none: set OPENAI_API_KEY, ANTHROPIC_API_KEY or playground.endpoints"
        raise invalid("endpoint", f"there is no endpoint {request.endpoint!r:.80}; there are {known}")
    if not request.model.strip():
        raise invalid("model", "is empty; name a model of the endpoint")
    row = {name: _value(request, name) for name in ("input", "expected", "metadata")}
    if row["metadata"] is not None and not isinstance(row["metadata"], dict):
        raise invalid("metadata", f"expected an object, got {row['metadata']!r:.100}")
    return Prompt(
        endpoint=endpoints[request.endpoint],
        model=request.model.strip(),
        messages=_messages(request, row),
        parameters=_parameters(request),
        row=row,
        scorers=_scorers(request),
    )


def _messages(request: pb.RunPromptRequest, row: Mapping[str, Any]) -> tuple[Json, ...]:
    if not 0 < len(request.messages) <= MAX_MESSAGES:
        raise invalid("messages", f"expected 1 to {MAX_MESSAGES} messages, got {len(request.messages)}")
    own = row["input"] if isinstance(row["input"], dict) else {}
    values = {**own, **row}
    messages = []
    for number, text in enumerate(request.messages):
        message = _parsed(text, f"messages[{number}]")
        if not isinstance(message, dict) or not isinstance(message.get("role"), str) or not message["role"]:
            raise invalid(f"messages[{number}]", f"expected an object with role and content, got {message!r:.100}")
        try:
            messages.append(_filled(message, values))
        except RecursionError:
            raise invalid(f"messages[{number}]", "is nested too deeply") from None
    return tuple(messages)


def _filled(value: Any, values: Mapping[str, Any]) -> Any:
    """The value with the placeholders in its texts replaced, however deep they are."""
    if isinstance(value, str):
        return fill(value, values)
    if isinstance(value, list):
        return [_filled(item, values) for item in value]
    return {key: _filled(item, values) for key, item in value.items()} if isinstance(value, dict) else value


def _parameters(request: pb.RunPromptRequest) -> dict[str, Any]:
    parameters = _value(request, "parameters")
    if parameters is None:
        return {}
    if not isinstance(parameters, dict):
        raise invalid("parameters", f"expected an object, got {parameters!r:.100}")
    for name in RESERVED:
        if name in parameters:
            raise invalid(f"parameters.{name}", "is not a parameter here; the request has a field for it")
    for name, value in parameters.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise invalid(f"parameters.{name}", f"expected a finite number, got {value}")
    return parameters


def _scorers(request: pb.RunPromptRequest) -> tuple[RuleScorer, ...]:
    if len(request.scorers) > MAX_SCORERS:
        raise invalid("scorers", f"expected at most {MAX_SCORERS}, got {len(request.scorers)}")
    scorers: list[RuleScorer] = []
    for number, given in enumerate(request.scorers):
        path = f"scorers[{number}]"
        options = given.options if given.HasField("options") else None
        scorer = read_scorer(rules_pb2.RuleScorer(use=given.use, name=given.name, options=options), path)
        if scorer.name in {other.name for other in scorers}:
            raise invalid(f"{path}.name", f"two scorers are called {scorer.name!r}; give one a name of its own")
        scorers.append(scorer)
    return tuple(scorers)


def _value(request: Message, name: str) -> Any:
    return _parsed(getattr(request, name), name) if request.HasField(name) else None


def _parsed(text: str, path: str) -> Any:
    try:
        return parse_json(text)
    except ValueError as error:
        raise invalid(path, f"is not JSON: {error}") from None
