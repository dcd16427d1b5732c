"""Anthropic's messages API.

The row's input is the list of messages as sent, after the system prompt as a message of its own; its output is
the message received: role, content blocks and why it stopped.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from spanloop._wrap import genai
from spanloop._wrap.deltas import Assembly
from spanloop._wrap.endpoint import Closing, Opening, known, read, split_request

PARAMETERS = {
    "model": genai.REQUEST_MODEL,
    "stream": genai.REQUEST_STREAM,
    "temperature": "gen_ai.request.temperature",
    "top_p": "gen_ai.request.top_p",
    "top_k": "gen_ai.request.top_k",
    "max_tokens": "gen_ai.request.max_tokens",
}
SHOWN = ("role", "content", "stop_reason")
# Which member of a content block each kind of delta makes grow.
GROWING = {"text": "text", "thinking": "thinking", "signature": "signature", "partial_json": "input"}


class Messages:
    """`POST /v1/messages`."""

    operation = "chat"

    def read_request(self, body: Mapping[str, Any]) -> Opening:
        attributes, metadata = split_request(body, PARAMETERS, ("messages", "system"))
        messages = body.get("messages")
        if body.get("system") and isinstance(messages, list | tuple):
            messages = [{"role": "system", "content": body["system"]}, *messages]
        return Opening(messages, attributes, metadata)

    def read_reply(self, reply: Any) -> Closing:
        usage = read(reply, "usage")
        return Closing(
            known({name: read(reply, name) for name in SHOWN}) or None,
            known(
                {
                    genai.RESPONSE_ID: read(reply, "id"),
                    genai.RESPONSE_MODEL: read(reply, "model"),
                    **_usage(usage),
                }
            ),
            metrics=_cache_lifetimes(read(usage, "cache_creation")),
        )

    def join(self, events: list[Mapping[str, Any]]) -> dict[str, Any]:
        reply: dict[str, Any] = {}
        blocks: dict[int, _Block] = {}
        for event in events:
            match event.get("type"):
                case "message_start":
                    reply = dict(event.get("message") or {})
                case "content_block_start":
                    blocks[event["index"]] = _Block(event.get("content_block") or {})
                case "content_block_delta":
                    blocks.setdefault(event["index"], _Block({})).add(event.get("delta") or {})
                case "message_delta":
                    reply |= known(event.get("delta") or {})
                    reply["usage"] = {**(reply.get("usage") or {}), **known(event.get("usage") or {})}
        return {**reply, "content": [blocks[index].whole() for index in sorted(blocks)]}

    def is_token(self, event: Mapping[str, Any]) -> bool:
        return event.get("type") == "content_block_delta"


class _Block:
    """A content block: text, thinking, the use of a tool."""

    def __init__(self, start: Mapping[str, Any]) -> None:
        self._start = dict(start)
        self._grown = Assembly()

    def add(self, delta: Mapping[str, Any]) -> None:
        if "citation" in delta:
            self._grown.add({"citations": [delta["citation"]]})
        for member, name in GROWING.items():
            if member in delta:
                self._grown.add({name: delta[member]})

    def whole(self) -> dict[str, Any]:
        grown = self._grown.whole()
        if "input" in grown:
            grown["input"] = _arguments(grown["input"])
        return {**self._start, **grown}


def _arguments(text: str) -> Any:
    """A tool's arguments; as text while they are incomplete."""
    try:
        return json.loads(text) if text else {}
    except ValueError:
        return text


def _usage(usage: Any) -> dict[str, Any]:
    """Token counts. The provider counts cached tokens apart; the convention wants them in the total."""
    fresh = read(usage, "input_tokens")
    cached, written = read(usage, "cache_read_input_tokens"), read(usage, "cache_creation_input_tokens")
    return {
        genai.INPUT_TOKENS: fresh + (cached or 0) + (written or 0) if fresh is not None else None,
        genai.OUTPUT_TOKENS: read(usage, "output_tokens"),
        genai.CACHE_READ_TOKENS: cached,
        genai.CACHE_WRITE_TOKENS: written,
        genai.REASONING_TOKENS: read(usage, "output_tokens_details", "thinking_tokens"),
    }


def _cache_lifetimes(creation: Any) -> dict[str, float]:
    """Tokens written to the cache, by how long they are kept, which decides their price."""
    return {
        name: count
        for name, count in (
            ("prompt_cache_creation_5m_tokens", read(creation, "ephemeral_5m_input_tokens")),
            ("prompt_cache_creation_1h_tokens", read(creation, "ephemeral_1h_input_tokens")),
        )
        if count
    }
