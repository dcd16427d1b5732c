"""Models for the playground: a server on loopback that speaks both wire formats and answers from the prompt alone."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.collector.playground.wires import anthropic_events, openai_events
from tests.instrumentation.provider import Provider, Reply, scripted_provider
from tests.page import seed

KEY = "sk-the-operator-only"
MODELS = ("gpt-4o-mini", "gpt-4o", "hostile", "slow", "broken")


class Forever(list[Any]):
    """The same reply again and again."""

    def __init__(self, reply: Callable[[Any], Reply]) -> None:
        super().__init__()
        self._reply = reply

    def pop(self, index: Any = -1) -> Any:
        return self._reply


@dataclass
class Models:
    """The running server."""

    provider: Provider
    gate: threading.Event = field(default_factory=threading.Event)
    """What `slow` waits for before its third word."""

    @property
    def endpoints(self) -> str:
        """The setting that names them."""
        openai = {"kind": "openai", "url": f"{self.provider.url}/v1", "api_key": KEY, "models": list(MODELS)}
        anthropic = {"kind": "anthropic", "url": self.provider.url, "api_key": KEY, "models": ["claude-sonnet-4-5"]}
        return json.dumps({"openai": openai, "anthropic": anthropic})

    def answer(self, request: Any) -> Reply:
        """An answer that repeats the question."""
        question = request["messages"][-1]["content"]
        pieces = [f"{word} " for word in f"You asked: **{question}** Here is what I know.".split(" ")]
        match request["model"]:
            case "claude-sonnet-4-5":
                return Reply(events=anthropic_events(*pieces), named=True)
            case "hostile":
                return Reply(events=openai_events(*seed.HOSTILE_TEXTS))
            case "broken":
                return Reply(json={"error": {"message": f"<b>overloaded</b> {seed.HOSTILE_TEXTS[1]}"}}, status=529)
            case "slow":
                return Reply(events=openai_events(*pieces), gate=self.gate, gate_before=3)
        return Reply(events=openai_events(*pieces, model=request["model"]))


@contextmanager
def running_models() -> Iterator[Models]:
    """Models on a free port for the length of the block."""
    with scripted_provider() as provider:
        models = Models(provider)
        provider.replies = Forever(models.answer)
        yield models
        models.gate.set()
