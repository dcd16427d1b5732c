"""OpenAI's responses API. The row's input is `input`, its output the list of output items."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spanloop._wrap import genai
from spanloop._wrap.endpoint import Closing, Opening, known, read, split_request

PARAMETERS = {
    "model": genai.REQUEST_MODEL,
    "stream": genai.REQUEST_STREAM,
    "temperature": "gen_ai.request.temperature",
    "top_p": "gen_ai.request.top_p",
    "max_output_tokens": "gen_ai.request.max_tokens",
}
FINAL_EVENTS = ("response.completed", "response.incomplete", "response.failed")
TEXT_PARTS = {
    "response.output_text.delta": ("text", "output_text"),
    "response.refusal.delta": ("refusal", "refusal"),
}


class Responses:
    """`POST /responses`."""

    operation = "chat"

    def read_request(self, body: Mapping[str, Any]) -> Opening:
        attributes, metadata = split_request(body, PARAMETERS, ("input",))
        return Opening(body.get("input"), attributes, metadata)

    def read_reply(self, reply: Any) -> Closing:
        status = read(reply, "status")
        reason = read(reply, "incomplete_details", "reason")
        return Closing(
            read(reply, "output"),
            known(
                {
                    genai.RESPONSE_ID: read(reply, "id"),
                    genai.RESPONSE_MODEL: read(reply, "model"),
                    "openai.response.service_tier": read(reply, "service_tier"),
                    **_usage(read(reply, "usage")),
                }
            ),
            known({"status": status if status != "completed" else None, "incomplete_reason": reason}),
            error=str(read(reply, "error", "message") or "the response failed") if status == "failed" else "",
        )

    def join(self, events: list[Mapping[str, Any]]) -> Any:
        """The last event carries the whole response; without it, what the pieces give."""
        reply: dict[str, Any] = {}
        items: dict[int, dict[str, Any]] = {}
        for event in events:
            kind = event.get("type", "")
            if kind in FINAL_EVENTS:
                return event.get("response")
            if isinstance(event.get("response"), Mapping):
                reply = dict(event["response"])
            elif "output_index" in event:
                _add_piece(items, event)
        return {**reply, "output": [items[index] for index in sorted(items)]}

    def is_token(self, event: Mapping[str, Any]) -> bool:
        return str(event.get("type", "")).endswith(".delta")


def _add_piece(items: dict[int, dict[str, Any]], event: Mapping[str, Any]) -> None:
    """Adds an event about one output item: begun, grown by text or arguments, or done."""
    kind, index = event.get("type", ""), event["output_index"]
    if kind in ("response.output_item.added", "response.output_item.done"):
        items[index] = dict(event.get("item") or {})
        return
    item = items.setdefault(index, {})
    if kind == "response.function_call_arguments.delta":
        item["arguments"] = (item.get("arguments") or "") + event.get("delta", "")
    elif kind == "response.content_part.added":
        _part(item, event).update(event.get("part") or {})
    elif kind in TEXT_PARTS:
        name, part_type = TEXT_PARTS[kind]
        part = _part(item, event)
        part.setdefault("type", part_type)
        part[name] = part.get(name, "") + event.get("delta", "")


def _part(item: dict[str, Any], event: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a message that the event is about."""
    parts: list[dict[str, Any]] = item.setdefault("content", [])
    index: int = event.get("content_index", 0)
    while len(parts) <= index:
        parts.append({})
    return parts[index]


def _usage(usage: Any) -> dict[str, Any]:
    """Token counts; the provider's totals already include cached and reasoning tokens."""
    return {
        genai.INPUT_TOKENS: read(usage, "input_tokens"),
        genai.OUTPUT_TOKENS: read(usage, "output_tokens"),
        genai.CACHE_READ_TOKENS: read(usage, "input_tokens_details", "cached_tokens"),
        genai.CACHE_WRITE_TOKENS: read(usage, "input_tokens_details", "cache_write_tokens"),
        genai.REASONING_TOKENS: read(usage, "output_tokens_details", "reasoning_tokens"),
    }
