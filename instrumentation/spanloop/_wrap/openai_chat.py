"""OpenAI's chat completions, and the older text completions, which share their shape.

The row's input is the list of messages as sent, its output the list of choices as received.
"""

from __future__ import annotations

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

    def join(self, events: list[Mapping[str, Any]]) -> dict[str, Any]:
        messages: dict[int, Assembly] = {}
        rest: dict[int, Assembly] = {}
        for event in events:
            for choice in event.get("choices") or ():
                index = choice.get("index", 0)
                if index not in messages:
                    messages[index], rest[index] = Assembly(), Assembly()
                messages[index].add(choice.get("delta") or {})
                for name in ("finish_reason", "logprobs"):
                    if choice.get(name):
                        rest[index].add({name: choice[name]})
        choices = [{"index": n, "message": messages[n].whole(), **rest[n].whole()} for n in sorted(messages)]
        return {**_reply_fields(events), "choices": choices}

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

    def join(self, events: list[Mapping[str, Any]]) -> dict[str, Any]:
        choices: dict[int, Assembly] = {}
        for event in events:
            for choice in event.get("choices") or ():
                choices.setdefault(choice.get("index", 0), Assembly()).add(choice)
        return {**_reply_fields(events), "choices": [choices[n].whole() for n in sorted(choices)]}

    def is_token(self, event: Mapping[str, Any]) -> bool:
        return any(choice.get("text") for choice in event.get("choices") or ())


def _reply_fields(events: list[Mapping[str, Any]]) -> dict[str, Any]:
    """What events say beside their choices: most say the same, some the usage."""
    usage = next((event["usage"] for event in reversed(events) if event.get("usage")), None)
    return {**known(events[-1]), **known(events[0]), "usage": usage}


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
