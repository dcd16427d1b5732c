"""The two formats that providers speak: how a request is worded, and what a streamed event says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from spanloop._wrap.anthropic_messages import Messages
from spanloop._wrap.endpoint import Endpoint as Reader
from spanloop._wrap.openai_chat import ChatCompletions

from spanloop_collector.playground.endpoints import ANTHROPIC, OPENAI, OPENAI_URL, Endpoint

Json = dict[str, Any]

ANTHROPIC_VERSION = "2023-06-01"
DEFAULT_MAX_TOKENS = 4096
"""Anthropic wants to be told."""
RESERVED = ("model", "messages", "stream")


class Wire(Protocol):
    """One format."""

    reader: Reader
    """Puts the events of an answer together and reads it, as for traced calls."""
    path: str
    models_path: str

    def headers(self, api_key: str) -> dict[str, str]: ...

    def body(self, endpoint: Endpoint, model: str, messages: Sequence[Json], parameters: Mapping[str, Any]) -> Json: ...

    def text_of(self, event: Json) -> str:
        """The piece of the answer's text that an event brings."""

    def output_of(self, reply: Json) -> Any:
        """The answer's text; its message where there is more to it."""


class OpenAiWire:
    """`POST /chat/completions`."""

    path = "/chat/completions"
    models_path = "/models"

    def __init__(self) -> None:
        self.reader: Reader = ChatCompletions()

    def headers(self, api_key: str) -> dict[str, str]:
        return {"authorization": f"Bearer {api_key}"} if api_key else {}

    def body(self, endpoint: Endpoint, model: str, messages: Sequence[Json], parameters: Mapping[str, Any]) -> Json:
        given = {"stream_options": {"include_usage": True}, **parameters}
        if endpoint.url == OPENAI_URL and "max_tokens" in given:
            # Its newer models refuse the name that every other server knows.
            given["max_completion_tokens"] = given.pop("max_tokens")
        return {**_without_nulls(given), "model": model, "messages": list(messages), "stream": True}

    def text_of(self, event: Json) -> str:
        choices = [choice for choice in event.get("choices") or () if choice.get("index", 0) == 0]
        return "".join((choice.get("delta") or {}).get("content") or "" for choice in choices)

    def output_of(self, reply: Json) -> Any:
        choices = reply.get("choices") or [{}]
        message = choices[0].get("message") or {}
        is_text = isinstance(message.get("content"), str) and not message.get("tool_calls")
        return message["content"] if is_text else message or None


class AnthropicWire:
    """`POST /v1/messages`."""

    path = "/v1/messages"
    models_path = "/v1/models?limit=1000"

    def __init__(self) -> None:
        self.reader: Reader = Messages()

    def headers(self, api_key: str) -> dict[str, str]:
        return {"anthropic-version": ANTHROPIC_VERSION} | ({"x-api-key": api_key} if api_key else {})

    def body(self, endpoint: Endpoint, model: str, messages: Sequence[Json], parameters: Mapping[str, Any]) -> Json:
        given = {"max_tokens": DEFAULT_MAX_TOKENS, **parameters}
        if system := [part for message in messages if _is_system(message) for part in _blocks(message.get("content"))]:
            given["system"] = system
        rest = [message for message in messages if not _is_system(message)]
        return {**_without_nulls(given), "model": model, "messages": rest, "stream": True}

    def text_of(self, event: Json) -> str:
        return (event.get("delta") or {}).get("text") or "" if event.get("type") == "content_block_delta" else ""

    def output_of(self, reply: Json) -> Any:
        blocks = reply.get("content") or []
        is_text = all(block.get("type") == "text" for block in blocks)
        return "".join(block.get("text") or "" for block in blocks) if is_text else blocks


WIRES: dict[str, Wire] = {OPENAI: OpenAiWire(), ANTHROPIC: AnthropicWire()}


def _is_system(message: Json) -> bool:
    return message["role"] in ("system", "developer")


def _blocks(content: Any) -> list[Any]:
    return content if isinstance(content, list) else [{"type": "text", "text": content}]


def _without_nulls(values: Mapping[str, Any]) -> Json:
    return {name: value for name, value in values.items() if value is not None}
