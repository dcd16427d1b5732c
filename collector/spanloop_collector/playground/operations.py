"""PlaygroundService: what may be asked, and a prompt run."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing

from spanloop.v1 import playground_pb2 as pb

from spanloop_collector.api.operations import Call
from spanloop_collector.errors import RetryableError, UnsupportedError
from spanloop_collector.playground.endpoints import Endpoint, endpoints_of
from spanloop_collector.playground.prompt import read_prompt
from spanloop_collector.playground.provider import Provider, ProviderError
from spanloop_collector.playground.run import run_prompt
from spanloop_collector.playground.scorers import Scorers
from spanloop_collector.score.own_workers import modules_of
from spanloop_collector.settings import Settings

LISTED_SECONDS = 300.0
"""How long a list of models is good for."""
FAILED_SECONDS = 10.0
BUSY_SECONDS = 2.0

OFF = "The playground is off: playground.max_runs (SPANLOOP_PLAYGROUND_MAX_RUNS) is 0."
HINT = (
    "The collector knows no model to ask. Start it with OPENAI_API_KEY or ANTHROPIC_API_KEY in its environment, or "
    "name any compatible server in playground.endpoints (SPANLOOP_PLAYGROUND_ENDPOINTS)."
)


class PlaygroundOperations:
    """The operations of PlaygroundService. Keys stay in here."""

    def __init__(self, settings: Settings, *, environment: Mapping[str, str] = os.environ) -> None:
        """Raises ConfigError for endpoints that cannot be used."""
        self._settings = settings.playground
        self._endpoints = endpoints_of(settings.playground.endpoints, environment) if self._settings.max_runs else {}
        self._provider = Provider(max_answer_bytes=settings.playground.max_answer_bytes)
        self._scorers = Scorers(modules_of(settings))
        self._running = 0
        self._lists: dict[str, tuple[float, pb.PlaygroundEndpoint]] = {}

    async def close(self) -> None:
        """Ends scorers and connections."""
        await self._scorers.close()
        await self._provider.close()

    async def list_playground_models(
        self, request: pb.ListPlaygroundModelsRequest, call: Call
    ) -> pb.ListPlaygroundModelsResponse:
        """The endpoints with their models."""
        if not self._endpoints:
            return pb.ListPlaygroundModelsResponse(hint=HINT if self._settings.max_runs else OFF)
        listed = await asyncio.gather(*(self._list(endpoint) for endpoint in self._endpoints.values()))
        return pb.ListPlaygroundModelsResponse(endpoints=listed)

    async def run_prompt(self, request: pb.RunPromptRequest, call: Call) -> AsyncIterator[pb.RunPromptResponse]:
        """The answer as it comes, how it ended, its scores."""
        if not self._settings.max_runs:
            raise UnsupportedError(OFF)
        prompt = await asyncio.to_thread(read_prompt, request, self._endpoints)
        if self._running >= self._settings.max_runs:
            raise RetryableError(
                f"{self._running} prompts are running, as many as playground.max_runs allows",
                retry_after_seconds=BUSY_SECONDS,
            )
        self._running += 1
        try:
            answers = run_prompt(
                prompt,
                provider=self._provider,
                scorers=self._scorers,
                timeout_seconds=self._settings.timeout_seconds,
            )
            async with aclosing(answers):  # type: ignore[type-var]  # an async generator, which has aclose
                async for answer in answers:
                    yield answer
        finally:
            self._running -= 1

    async def _list(self, endpoint: Endpoint) -> pb.PlaygroundEndpoint:
        good_until, listed = self._lists.get(endpoint.name, (0.0, None))
        if listed is None or good_until < time.monotonic():
            listed = await self._ask_for_models(endpoint)
            seconds = FAILED_SECONDS if listed.problem else LISTED_SECONDS
            self._lists[endpoint.name] = (time.monotonic() + seconds, listed)
        return listed

    async def _ask_for_models(self, endpoint: Endpoint) -> pb.PlaygroundEndpoint:
        listed = pb.PlaygroundEndpoint(name=endpoint.name, kind=endpoint.kind, models=endpoint.models)
        if not endpoint.models:
            try:
                listed.models.extend(await self._provider.list_models(endpoint))
            except ProviderError as error:
                listed.problem = str(error)
        return listed
