"""Looks on at the connections of Google's Live API and makes a span of each turn."""

from __future__ import annotations

import functools
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from spanloop import _runtime
from spanloop._failsafe import guarded
from spanloop._wrap.call import Call
from spanloop._wrap.google_live import LiveTurn
from spanloop._wrap.imported import when_imported
from spanloop._wrap.providers import provider_of

MODULE = "google.genai.live"
MARK = "_spanloop_wrapped"
MAX_KEPT_CHARS = 64 * 1024 * 1024
TURN = LiveTurn()


def trace_live() -> None:
    """From now on the sessions of clients that are marked."""
    when_imported(MODULE, _wrap)


def _wrap(module: Any) -> None:
    kind = module.AsyncLive
    if MARK not in vars(kind):
        kind.connect = _connecting(kind.connect)
        setattr(kind, MARK, True)


def _connecting(connect: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(connect)
    @asynccontextmanager
    async def traced_connect(live: Any, **kwargs: Any) -> AsyncIterator[Any]:
        async with connect(live, **kwargs) as session:
            turns = guarded(_watch)(live._api_client, session._ws, kwargs)
            try:
                yield session
            finally:
                if turns is not None:
                    turns.end()

    return traced_connect


def _watch(client: Any, connection: Any, given: dict[str, Any]) -> _Turns | None:
    if not getattr(client, MARK, False):
        return None
    turns = _Turns(client, {**_said_in(given.get("config")), "model": given.get("model")})
    connection.send = _sending(turns, connection.send)
    connection.recv = _receiving(turns, connection.recv)
    return turns


def _said_in(config: Any) -> dict[str, Any]:
    """A configuration as a dictionary of what it says; it may be one already."""
    said: dict[str, Any] = config.model_dump(exclude_none=True) if hasattr(config, "model_dump") else config or {}
    return said


class _Turns:
    """The turns of one session, of which one at most is under way."""

    def __init__(self, client: Any, request: dict[str, Any]) -> None:
        self._client = client
        self._request = request
        self._call: Call | None = None
        self._sent: list[str] = []
        self._received: list[str] = []
        self._size = 0

    @guarded
    def sent(self, message: Any) -> None:
        if self._begin() and isinstance(message, str):
            self._keep(self._sent, message)

    @guarded
    def received(self, message: Any) -> None:
        text = message.decode() if isinstance(message, bytes) else message
        if self._call is None and '"modelTurn"' not in text and '"toolCall"' not in text:
            return  # about the session, not part of a turn
        if self._begin():
            self._keep(self._received, text)
            if self._call is not None and not self._call.has_token:
                self._call.saw(json.loads(text))
            if '"turnComplete"' in text and json.loads(text).get("serverContent", {}).get("turnComplete"):
                self.end()

    def _begin(self) -> bool:
        """Whether a turn is under way, now or already."""
        runtime = _runtime.active()
        if self._call is None and runtime is not None:
            base_url = str(self._client._http_options.base_url or "")
            provider = "gcp.vertex_ai" if self._client.vertexai else provider_of(base_url, "gcp.gemini")
            self._call = Call(runtime, TURN, self._request, provider=provider, base_url=base_url)
            self._sent, self._received, self._size = [], [], 0
        return self._call is not None

    def _keep(self, messages: list[str], text: str) -> None:
        self._size += len(text)
        if self._size <= MAX_KEPT_CHARS:
            messages.append(text)

    @guarded
    def end(self, error: BaseException | None = None) -> None:
        """The turn is over, complete or not."""
        call, self._call = self._call, None
        if call is not None:
            reply = {"sent": self._sent, "received": self._received}
            call.close_later(lambda: reply, self._size, error)


def _sending(turns: _Turns, send: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(send)
    async def send_and_note(message: Any, *args: Any, **kwargs: Any) -> Any:
        turns.sent(message)
        return await send(message, *args, **kwargs)

    return send_and_note


def _receiving(turns: _Turns, receive: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(receive)
    async def receive_and_note(*args: Any, **kwargs: Any) -> Any:
        try:
            message = await receive(*args, **kwargs)
        except Exception as error:
            if not isinstance(error, TypeError):  # by which the client finds out how old the connection's library is
                turns.end(error)
            raise
        turns.received(message)
        return message

    return receive_and_note
