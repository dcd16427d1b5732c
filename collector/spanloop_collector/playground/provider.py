"""Asks a provider, and says what it answers piece by piece.

Whatever goes wrong with the provider is a `ProviderError` whose message may be shown: it never holds a key.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import httpx2

from spanloop_collector.api.json_codec import parse_json
from spanloop_collector.playground.endpoints import OPENAI, Endpoint
from spanloop_collector.playground.wire import WIRES, Json

CONNECT_SECONDS = 10.0
LIST_SECONDS = 10.0
MAX_ERROR_BYTES = 64 * 1024
MAX_ERROR_CHARACTERS = 2000
MAX_LIST_BYTES = 4 * 1024 * 1024

_NO_CHAT = re.compile(r"embed|whisper|tts|dall-e|moderation|image|audio|realtime|transcribe|sora|davinci|babbage")


class ProviderError(Exception):
    """The provider did not answer, or refused; says so in words for the person at the page."""


class Provider:
    """Speaks to providers over connections that are kept open."""

    def __init__(self, *, max_answer_bytes: int) -> None:
        self._max_answer_bytes = max_answer_bytes

    @cached_property
    def _client(self) -> httpx2.AsyncClient:
        """Made when it is first needed: reading the authorities to trust takes a while."""
        return httpx2.AsyncClient(timeout=httpx2.Timeout(None, connect=CONNECT_SECONDS), follow_redirects=False)

    async def close(self) -> None:
        """Closes every connection."""
        if "_client" in vars(self):
            await self._client.aclose()

    async def ask(
        self, endpoint: Endpoint, model: str, messages: Sequence[Json], parameters: Mapping[str, Any]
    ) -> AsyncIterator[Json]:
        """The events of the answer; raises ProviderError, also after some of them."""
        wire = WIRES[endpoint.kind]
        request = self._client.stream(
            "POST",
            endpoint.url + wire.path,
            json=wire.body(endpoint, model, messages, parameters),
            headers={"accept": "text/event-stream"} | wire.headers(endpoint.api_key),
        )
        try:
            async with request as response:
                if response.status_code != 200:
                    raise ProviderError(_refusal(endpoint, response.status_code, await _read(response)))
                received = 0
                async for event in httpx2.EventSource(response, max_event_size=self._max_answer_bytes):
                    received += len(event.data)
                    if received > self._max_answer_bytes:
                        raise ProviderError(
                            f"the answer was cut off after {self._max_answer_bytes} bytes (playground.max_answer_bytes)"
                        )
                    if event.data and event.data != "[DONE]":
                        yield _event(endpoint, event.data)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise ProviderError(_without_key(endpoint, _transport_words(endpoint, error))) from None

    async def list_models(self, endpoint: Endpoint) -> list[str]:
        """The models that the provider lists and that may be talked to, by name; raises ProviderError."""
        wire = WIRES[endpoint.kind]
        try:
            async with self._client.stream(
                "GET", endpoint.url + wire.models_path, headers=wire.headers(endpoint.api_key), timeout=LIST_SECONDS
            ) as response:
                content = await _read(response, MAX_LIST_BYTES)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise ProviderError(_without_key(endpoint, _transport_words(endpoint, error))) from None
        if response.status_code != 200:
            raise ProviderError(_refusal(endpoint, response.status_code, content))
        try:
            names = sorted(str(model["id"]) for model in json.loads(content)["data"])
        except (ValueError, KeyError, TypeError):
            raise ProviderError(f"{endpoint.name} does not list its models; write a model's name") from None
        return [name for name in names if endpoint.kind != OPENAI or not _NO_CHAT.search(name)]


def _event(endpoint: Endpoint, data: str) -> Json:
    """One event; providers also report failures in the middle of an answer."""
    try:
        event = parse_json(data)
        if "\\ud" in data.lower():
            # Half a surrogate pair is valid JSON and no text.
            event = parse_json(
                json.dumps(event, ensure_ascii=False).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            )
    except ValueError:
        event = None
    if not isinstance(event, dict):
        raise ProviderError(f"{endpoint.name} sent what is no event of a {endpoint.kind} answer: {data[:200]}")
    if event.get("error"):
        raise ProviderError(_without_key(endpoint, f"{endpoint.name} broke off: {_words(event)}"))
    return event


async def _read(response: httpx2.Response, limit: int = MAX_ERROR_BYTES) -> bytes:
    content = bytearray()
    async for chunk in response.aiter_bytes():
        content += chunk
        if len(content) > limit:
            break
    return bytes(content[:limit])


def _refusal(endpoint: Endpoint, status: int, content: bytes) -> str:
    if status in (401, 403):
        # In the provider's own words there may be a part of the key.
        return f"{endpoint.name} refuses the collector's API key ({status}); whoever runs the collector can change it"
    try:
        words = _words(json.loads(content))
    except ValueError:
        words = content.decode(errors="replace").strip()
    return _without_key(endpoint, f"{endpoint.name} answered {status}: {words or 'no reason'}"[:MAX_ERROR_CHARACTERS])


def _words(body: Any) -> str:
    error = body.get("error", body) if isinstance(body, dict) else body
    message = error.get("message") if isinstance(error, dict) else None
    return str(message or json.dumps(error, ensure_ascii=False))[:MAX_ERROR_CHARACTERS]


def _transport_words(endpoint: Endpoint, error: Exception) -> str:
    if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout):
        return f"{endpoint.name} cannot be reached at {endpoint.url}: {error or type(error).__name__}"
    return f"{endpoint.name} broke off: {error or type(error).__name__}"


def _without_key(endpoint: Endpoint, words: str) -> str:
    return words.replace(endpoint.api_key, "***") if endpoint.api_key else words
