"""Streamed answers as OpenAI and Anthropic send them."""

from __future__ import annotations

from typing import Any

from tests.instrumentation.provider import Reply

OPENAI_USAGE = {
    "prompt_tokens": 1000,
    "completion_tokens": 200,
    "total_tokens": 1200,
    "prompt_tokens_details": {"cached_tokens": 400},
    "completion_tokens_details": {"reasoning_tokens": 0},
}


def openai_events(*pieces: str, model: str = "gpt-4o-mini-2024-07-18", finish: str = "stop") -> list[Any]:
    """Chat completion chunks, usage last."""

    def chunk(**fields: Any) -> dict[str, Any]:
        return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": model, **fields}

    def choice(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
        return chunk(choices=[{"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}])

    return [
        choice({"role": "assistant", "content": "", "refusal": None}),
        *(choice({"content": piece}) for piece in pieces),
        choice({}, finish),
        chunk(choices=[], usage=OPENAI_USAGE),
        "[DONE]",
    ]


def openai_reply(*pieces: str, **reply: Any) -> Reply:
    return Reply(events=openai_events(*pieces), **reply)


def anthropic_events(*pieces: str, model: str = "claude-sonnet-4-5") -> list[Any]:
    """Events of the messages API, thinking before the text."""
    usage = {"input_tokens": 600, "cache_read_input_tokens": 400, "cache_creation_input_tokens": 0, "output_tokens": 1}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": model, "content": [], "usage": usage}
    return [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
        *(
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}}
            for piece in pieces
        ),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 200}},
        {"type": "message_stop"},
    ]


def anthropic_reply(*pieces: str, **reply: Any) -> Reply:
    return Reply(events=anthropic_events(*pieces), named=True, **reply)
