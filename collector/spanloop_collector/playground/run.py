"""One run: a model asked, its answer passed on as it comes, then scored."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from spanloop._wrap import genai
from spanloop._wrap.endpoint import Closing
from spanloop.v1 import playground_pb2 as pb

from spanloop_collector.api.json_codec import write_json
from spanloop_collector.playground.prompt import Prompt
from spanloop_collector.playground.provider import Provider, ProviderError
from spanloop_collector.playground.scorers import Scorers
from spanloop_collector.playground.wire import WIRES, Json
from spanloop_collector.write.pricing import find_price

MAX_WAITING = 64
"""Answers that a slow reader has not taken yet; the provider is then read no further."""

Tell = Callable[[pb.RunPromptResponse], Awaitable[None]]


async def run_prompt(
    prompt: Prompt, *, provider: Provider, scorers: Scorers, timeout_seconds: float
) -> AsyncIterator[pb.RunPromptResponse]:
    """Everything there is to say about a run; leaving the iterator stops the model.

    The work is a task of its own: a transport may take the answers in one task after another, and time limits belong
    to the task they were set in.
    """
    answers: asyncio.Queue[pb.RunPromptResponse | None] = asyncio.Queue(MAX_WAITING)
    task = asyncio.create_task(_work(prompt, provider, scorers, timeout_seconds, answers))
    try:
        yield pb.RunPromptResponse()
        while (answer := await answers.get()) is not None:
            yield answer
        await task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _work(
    prompt: Prompt,
    provider: Provider,
    scorers: Scorers,
    timeout_seconds: float,
    answers: asyncio.Queue[pb.RunPromptResponse | None],
) -> None:
    answer = _Answer(prompt)
    try:
        try:
            async with asyncio.timeout(timeout_seconds):
                await answer.receive(provider, answers.put)
        except TimeoutError:
            answer.error = f"stopped after {timeout_seconds:g} s (playground.timeout_seconds)"
        except ProviderError as error:
            answer.error = str(error)
        end = answer.end()
        await answers.put(pb.RunPromptResponse(end=end))
        if not end.error:
            await _score(prompt, answer.output, scorers, answers.put)
    finally:
        # Also after a bug of ours, which the reader finds when it awaits this task. Cancelled, nobody reads any more.
        task = asyncio.current_task()
        if task is not None and not task.cancelling():
            await answers.put(None)


async def _score(prompt: Prompt, output: Any, scorers: Scorers, tell: Tell) -> None:
    row = {**prompt.row, "output": output}

    async def one(number: int) -> None:
        for score in await scorers.score(prompt.scorers[number], row):
            await tell(pb.RunPromptResponse(score=score))

    await asyncio.gather(*(one(number) for number in range(len(prompt.scorers))))


@dataclass(slots=True)
class _Answer:
    """What a model has said so far."""

    prompt: Prompt
    error: str = ""
    output: Any = None
    _events: list[Mapping[str, Any]] = field(default_factory=list)
    _started: float = field(default_factory=time.perf_counter)
    _first_token: float | None = None

    async def receive(self, provider: Provider, tell: Tell) -> None:
        """Takes the whole answer; raises ProviderError, with what came before kept."""
        prompt = self.prompt
        wire = WIRES[prompt.endpoint.kind]
        asked = provider.ask(prompt.endpoint, prompt.model, prompt.messages, prompt.parameters)
        async with aclosing(asked):  # type: ignore[type-var]  # an async generator, which has aclose
            async for event in asked:
                try:
                    is_token, text = wire.reader.is_token(event), wire.text_of(event)
                except (AttributeError, KeyError, TypeError, ValueError):
                    raise self._unreadable() from None
                self._events.append(event)
                if is_token and self._first_token is None:
                    self._first_token = time.perf_counter() - self._started
                if text:
                    await tell(pb.RunPromptResponse(text=text))

    def end(self) -> pb.RunEnd:
        """How it ended, and what the whole answer is."""
        duration = time.perf_counter() - self._started
        reply, closing = self._read()
        usage = closing.attributes
        model = str(usage.get(genai.RESPONSE_MODEL) or self.prompt.model)
        return pb.RunEnd(
            error=self.error,
            output=None if self.output is None else write_json(self.output),
            messages=[write_json(message) for message in self.prompt.messages],
            reply=write_json(closing.output) if reply else None,
            model=model,
            duration=duration,
            time_to_first_token=self._first_token,
            prompt_tokens=usage.get(genai.INPUT_TOKENS),
            completion_tokens=usage.get(genai.OUTPUT_TOKENS),
            cached_tokens=usage.get(genai.CACHE_READ_TOKENS),
            cost=self._cost(model, usage),
        )

    def _read(self) -> tuple[Json | None, Closing]:
        wire = WIRES[self.prompt.endpoint.kind]
        if not self._events:
            self.error = self.error or str(self._unreadable())
            return None, Closing()
        try:
            reply: Json = wire.reader.join(self._events)
            self.output = wire.output_of(reply)
            return reply, wire.reader.read_reply(reply)
        except (AttributeError, KeyError, IndexError, TypeError, ValueError):
            self.error = self.error or str(self._unreadable())
            return None, Closing()

    def _unreadable(self) -> ProviderError:
        endpoint = self.prompt.endpoint
        return ProviderError(f"{endpoint.name} answered with what is no stream of kind {endpoint.kind}")

    def _cost(self, model: str, usage: dict[str, Any]) -> float | None:
        """US dollars; None where tokens or price are not known."""
        names = (genai.INPUT_TOKENS, genai.CACHE_READ_TOKENS, genai.CACHE_WRITE_TOKENS, genai.OUTPUT_TOKENS)
        prompt, cached, written, completion = (usage.get(name) or 0 for name in names)
        price = find_price(self.prompt.endpoint.name, model, now=datetime.now(UTC))
        return price.cost(prompt, completion, cached=cached, written=written) if prompt or completion else None
