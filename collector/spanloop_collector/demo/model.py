"""How the sample application asks a model: with the `openai` client where it is installed, else by hand."""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Callable
from typing import Any

import spanloop

MODEL = "gpt-4o-mini"
REQUEST_SECONDS = 30

AskModel = Callable[[str, str], str]


def connect_model() -> AskModel:
    """A function from instructions and a question to the model's answer; each call becomes a span of type llm."""
    try:
        import openai
    except ModuleNotFoundError:
        return _ask_by_hand
    # Reads OPENAI_BASE_URL and OPENAI_API_KEY.
    client = spanloop.wrap_openai(openai.OpenAI())

    def ask(instructions: str, question: str) -> str:
        completion = client.chat.completions.create(
            model=MODEL,
            messages=[{"role": "system", "content": instructions}, {"role": "user", "content": question}],
        )
        return completion.choices[0].message.content or ""

    return ask


def _ask_by_hand(instructions: str, question: str) -> str:
    messages = [{"role": "system", "content": instructions}, {"role": "user", "content": question}]
    with spanloop.start_span("chat", type="llm", input=messages) as span:
        completion = _post("/chat/completions", {"model": MODEL, "messages": messages})
        usage, message = completion["usage"], completion["choices"][0]["message"]
        span.log(
            output=[message],
            metadata={"model": completion["model"], "provider": "openai"},
            metrics={
                "prompt_tokens": usage["prompt_tokens"],
                "completion_tokens": usage["completion_tokens"],
                "tokens": usage["total_tokens"],
            },
        )
    return str(message["content"])


def _post(path: str, body: dict[str, object]) -> dict[str, Any]:
    request = urllib.request.Request(
        os.environ["OPENAI_BASE_URL"] + path,
        data=json.dumps(body).encode(),
        headers={
            "content-type": "application/json",
            "authorization": f"Bearer {os.environ.get('OPENAI_API_KEY', '')}",
        },
    )
    with urllib.request.urlopen(request, timeout=REQUEST_SECONDS) as response:
        answer: dict[str, Any] = json.load(response)
    return answer
