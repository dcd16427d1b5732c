"""OpenAI's chat completions, and the older text completions, which share their shape.

The row's input is the list of messages as sent, its output the list of choices as received.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from spanloop._wrap import genai
from spanloop._wrap.deltas import add_delta
from spanloop._wrap.endpoint import Closing, Opening, known, read, split_request

PARAMETERS = {
    "model": genai.REQUEST_MODEL,
    "stream": genai.REQUEST_STREAM,
    "temperature": "gen_ai.request.temperature",
    "top_p": "gen_ai.request.top_p",
    "max_tokens": "gen_ai.request.max_tokens",
    "max_completion_tokens": "gen_ai.request.max_tokens",
    "frequency_penalty": "gen_ai.request.frequency_penalty",
    "presence_penalty": "gen_ai.request.presence_penalty",
    "seed": "gen_ai.request.seed",
    "n": "gen_ai.request.choice.count",
}


class ChatCompletions:
    """`POST /chat/completions`."""

    operation = "chat"

    def read_request(self, body: Mapping[str, Any]) -> Opening:
        attributes, metadata = split_request(body, PARAMETERS, ("messages",))
        return Opening(body.get("messages"), attributes, metadata)

    def read_reply(self, reply: Any) -> Closing:
        return Closing(
            read(reply, "choices"),
            known(
                {
                    genai.RESPONSE_ID: read(reply, "id"),
                    genai.RESPONSE_MODEL: read(reply, "model"),
                    "openai.response.service_tier": read(reply, "service_tier"),
                    **chat_usage(read(reply, "usage")),
                }
            ),
        )

    def join(self, events: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
        reply: dict[str, Any] = {}
        choices: dict[int, dict[str, Any]] = {}
        for event in events:
            reply |= {key: value for key, value in event.items() if key != "choices" and value is not None}
            for each in event.get("choices") or ():
                choice = choices.setdefault(each.get("index", 0), {"index": each.get("index", 0)})
                add_delta(choice.setdefault("message", {}), each.get("delta") or {})
                choice |= known({"finish_reason": each.get("finish_reason"), "logprobs": each.get("logprobs")})
        return {**reply, "choices": [choices[index] for index in sorted(choices)]}

    def is_token(self, event: Mapping[str, Any]) -> bool:
        return any(
            value
            for choice in event.get("choices") or ()
            for name, value in (choice.get("delta") or {}).items()
            if name != "role"
        )


class Completions(ChatCompletions):
    """`POST /completions`: a prompt instead of messages, text instead of a message."""

    operation = "text_completion"

    def read_request(self, body: Mapping[str, Any]) -> Opening:
        attributes, metadata = split_request(body, PARAMETERS, ("prompt",))
        return Opening(body.get("prompt"), attributes, metadata)

    def join(self, events: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
        reply: dict[str, Any] = {}
        choices: dict[int, dict[str, Any]] = {}
        for event in events:
            reply |= {key: value for key, value in event.items() if key != "choices" and value is not None}
            for each in event.get("choices") or ():
                choice = choices.setdefault(each.get("index", 0), {"index": each.get("index", 0), "text": ""})
                choice["text"] += each.get("text") or ""
                choice |= known({"finish_reason": each.get("finish_reason")})
        return {**reply, "choices": [choices[index] for index in sorted(choices)]}

    def is_token(self, event: Mapping[str, Any]) -> bool:
        return any(choice.get("text") for choice in event.get("choices") or ())


def chat_usage(usage: Any) -> dict[str, Any]:
    """Token counts; the provider's totals already include cached and reasoning tokens."""
    prompt, completion = "prompt_tokens_details", "completion_tokens_details"
    return {
        genai.INPUT_TOKENS: read(usage, "prompt_tokens"),
        genai.OUTPUT_TOKENS: read(usage, "completion_tokens"),
        genai.CACHE_READ_TOKENS: read(usage, prompt, "cached_tokens"),
        genai.CACHE_WRITE_TOKENS: read(usage, prompt, "cache_write_tokens"),
        genai.AUDIO_INPUT_TOKENS: read(usage, prompt, "audio_tokens") or None,
        genai.REASONING_TOKENS: read(usage, completion, "reasoning_tokens"),
        genai.AUDIO_OUTPUT_TOKENS: read(usage, completion, "audio_tokens") or None,
    }
