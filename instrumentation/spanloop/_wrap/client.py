"""Wraps clients that the generator Stainless made, OpenAI's and Anthropic's among them.

All their resources, however they are reached (`parse`, `stream`, `with_raw_response`,
`with_streaming_response`, helpers), send requests through one method of the client, `request`. Replacing
that on one client object covers everything it can do, and leaves other clients as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from spanloop import _context, _runtime
from spanloop._failsafe import guarded, log
from spanloop._wrap.call import Call, current_call
from spanloop._wrap.endpoint import Endpoint
from spanloop._wrap.stream import watch

Client = TypeVar("Client")
FindEndpoint = Callable[[Any], Endpoint | None]
"""The endpoint of a request's options (`method`, `url`, `json_data`, …); None leaves it untraced."""
FindProvider = Callable[[Any], str]

MARK = "_spanloop_wrapped"
COPIES = ("copy", "with_options")


def wrap_client(client: Client, find_endpoint: FindEndpoint, find_provider: FindProvider) -> Client:
    """The same client, traced from now on; its copies too. Wrapping twice is wrapping once."""
    if getattr(client, MARK, False):
        return client
    if not callable(getattr(client, "request", None)):
        log.error("%r is no client of the openai or anthropic package; it stays as it is", type(client).__name__)
        return client
    guarded(_wrap)(client, find_endpoint, find_provider)
    return client


def _wrap(client: Any, find_endpoint: FindEndpoint, find_provider: FindProvider) -> None:
    is_async = hasattr(client, "__aenter__")
    tracing = _Tracing(client, find_endpoint, find_provider)
    client.request = (_async_request if is_async else _request)(tracing, client.request)
    if hasattr(client, "_send_request"):
        client._send_request = (_async_send if is_async else _send)(client._send_request)
    for name in COPIES:
        if hasattr(client, name):
            setattr(client, name, _copying(getattr(client, name), find_endpoint, find_provider))
    setattr(client, MARK, True)


def _copying(copy: Callable[..., Any], find_endpoint: FindEndpoint, find_provider: FindProvider) -> Callable[..., Any]:
    def copy_and_wrap(*args: Any, **kwargs: Any) -> Any:
        return wrap_client(copy(*args, **kwargs), find_endpoint, find_provider)

    return copy_and_wrap


class _Tracing:
    """Decides what to trace of one client."""

    def __init__(self, client: Any, find_endpoint: FindEndpoint, find_provider: FindProvider) -> None:
        self._client = client
        self._find_endpoint = find_endpoint
        self._find_provider = find_provider

    @guarded
    def begin(self, options: Any) -> _Begun | None:
        runtime = _runtime.active()
        endpoint = self._find_endpoint(options) if runtime is not None else None
        if runtime is None or endpoint is None:
            return None
        body = options.json_data if isinstance(options.json_data, Mapping) else {}
        call = Call(
            runtime,
            endpoint,
            body,
            provider=self._find_provider(self._client),
            base_url=str(self._client.base_url),
        )
        return _Begun(call)


class _Begun:
    """A call whose request is being sent: its span is current, its attempts are counted."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self._entry: _context.Entry = call.enter()
        self._before: Call | None = current_call.get()
        current_call.set(call)

    @guarded
    def leave(self) -> None:
        if current_call.get() is self.call:
            current_call.set(self._before)
        _context.leave(self._entry)

    @guarded
    def failed(self, error: BaseException) -> None:
        self.leave()
        self.call.fail(error)

    @guarded
    def replied(self, reply: Any) -> None:
        """Closes the call, now or when the body has been read."""
        self.leave()
        response = _http_response(reply)
        if response is None:
            self.call.close(reply)
        elif getattr(response, "is_closed", False):
            self.call.close(_content(response))
        else:
            watch(self.call, response)


def _http_response(reply: Any) -> Any:
    """The HTTP response of a stream, of a raw response or of binary content; None of a parsed model."""
    for name in ("http_response", "response"):
        response = getattr(reply, name, None)
        if hasattr(response, "iter_bytes") and hasattr(response, "headers"):
            return response
    return reply if hasattr(reply, "iter_bytes") and hasattr(reply, "is_closed") else None


def _content(response: Any) -> Any:
    """A body that has been read already."""
    content_type = str(response.headers.get("content-type", "")).partition(";")[0]
    if content_type.endswith("json"):
        return response.json()
    if content_type.startswith("text/"):
        return response.text
    return {"content_type": content_type, "bytes": len(response.content)}


def _request(tracing: _Tracing, request: Callable[..., Any]) -> Callable[..., Any]:
    def traced_request(cast_to: Any, options: Any, *args: Any, **kwargs: Any) -> Any:
        begun = tracing.begin(options)
        if begun is None:
            return request(cast_to, options, *args, **kwargs)
        try:
            reply = request(cast_to, options, *args, **kwargs)
        except BaseException as error:
            begun.failed(error)
            raise
        begun.replied(reply)
        return reply

    return traced_request


def _async_request(tracing: _Tracing, request: Callable[..., Any]) -> Callable[..., Any]:
    async def traced_request(cast_to: Any, options: Any, *args: Any, **kwargs: Any) -> Any:
        begun = tracing.begin(options)
        if begun is None:
            return await request(cast_to, options, *args, **kwargs)
        try:
            reply = await request(cast_to, options, *args, **kwargs)
        except BaseException as error:
            begun.failed(error)
            raise
        begun.replied(reply)
        return reply

    return traced_request


def _send(send: Callable[..., Any]) -> Callable[..., Any]:
    """One try of a request; the client's own retries call this again."""

    def counted_send(*args: Any, **kwargs: Any) -> Any:
        call = current_call.get()
        try:
            response = send(*args, **kwargs)
        except BaseException as error:
            if call is not None:
                call.attempt(type(error).__name__)
            raise
        if call is not None:
            call.attempt(str(response.status_code))
        return response

    return counted_send


def _async_send(send: Callable[..., Any]) -> Callable[..., Any]:
    async def counted_send(*args: Any, **kwargs: Any) -> Any:
        call = current_call.get()
        try:
            response = await send(*args, **kwargs)
        except BaseException as error:
            if call is not None:
                call.attempt(type(error).__name__)
            raise
        if call is not None:
            call.attempt(str(response.status_code))
        return response

    return counted_send
