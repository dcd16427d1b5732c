"""What the models that judge cost: tokens of each call, counted while a scorer runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call of a model."""

    provider: str
    """As `gen_ai.provider.name` has it."""
    model: str
    prompt_tokens: int
    """All of them, cached ones included."""
    completion_tokens: int
    cached_tokens: int = 0

    def as_dict(self) -> dict[str, Any]:
        """The usage as JSON has it."""
        return asdict(self)


_collected: ContextVar[list[Usage] | None] = ContextVar("spanloop_scoring_usage", default=None)


@contextmanager
def collect_usage() -> Iterator[list[Usage]]:
    """The usage of every metered call in the block."""
    found: list[Usage] = []
    token = _collected.set(found)
    try:
        yield found
    finally:
        _collected.reset(token)


def metered_openai(**options: Any) -> Any:
    """A client of the OpenAI library whose calls are counted; options are those of `openai.OpenAI`."""
    from openai import OpenAI

    # Whoever hands out the work tries again, and knows how long the provider asks to wait.
    client = OpenAI(**{"max_retries": 0, **options})
    provider = "openai" if "api.openai.com" in str(client.base_url) else client.base_url.host
    for resource in (client.chat.completions, client.responses, client.embeddings):
        resource.create = _counted(resource.create, provider)  # type: ignore[method-assign]  # of this client only
    return client


def _counted(create: Callable[..., Any], provider: str) -> Callable[..., Any]:
    def create_and_count(*arguments: Any, **options: Any) -> Any:
        response = create(*arguments, **options)
        collected, usage = _collected.get(), getattr(response, "usage", None)
        if collected is not None and usage is not None:
            collected.append(_usage_of(provider, getattr(response, "model", ""), usage))
        return response

    return create_and_count


def _usage_of(provider: str, model: str, usage: Any) -> Usage:
    """Chat completions and responses name the same numbers differently."""
    details = getattr(usage, "prompt_tokens_details", None) or getattr(usage, "input_tokens_details", None)
    return Usage(
        provider,
        model or "",
        int(getattr(usage, "prompt_tokens", None) or getattr(usage, "input_tokens", None) or 0),
        int(getattr(usage, "completion_tokens", None) or getattr(usage, "output_tokens", None) or 0),
        int(getattr(details, "cached_tokens", None) or 0),
    )
