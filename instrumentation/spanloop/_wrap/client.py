"""Wraps clients that the generator Stainless made, OpenAI's and Anthropic's among them.

All their resources, however they are reached (`parse`, `stream`, `with_raw_response`,
`with_streaming_response`, helpers), send requests through one method of the client, `request`. Replacing
that on one client object covers everything it can do, and leaves other clients as they are.
"""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from spanloop import _runtime
from spanloop._failsafe import guarded, log
from spanloop._wrap.binary import attached_files, described
from spanloop._wrap.call import Call
from spanloop._wrap.endpoint import Endpoint
from spanloop._wrap.sending import Sending, current_call, is_covered
from spanloop._wrap.stream import watch

Client = TypeVar("Client")
FindEndpoint = Callable[[Any], Endpoint | None]
"""The endpoint of a request's options (`method`, `url`, `json_data`, …); None leaves it untraced."""
FindProvider = Callable[[Any], str]

MARK = "_spanloop_wrapped"
COPIES = ("copy", "with_options")
BETWEEN_TRIES = ("_sleep_for_retry", "_retry_request")  # what the clients call then; older versions the second
NOT_GIVEN = ("Omit", "NotGiven")


@dataclass(frozen=True, slots=True)
class Api:
    """What is the same for all clients of one package."""

    find_endpoint: FindEndpoint
    find_provider: FindProvider

    @guarded
    def begin(self, client: Any, options: Any) -> _Begun | None:
        """Opens the span of a request; None if the request is not traced."""
        runtime = _runtime.active()
        endpoint = self.find_endpoint(options) if runtime is not None else None
        if runtime is None or endpoint is None or is_covered():
            return None
        body = _given(options.json_data) if isinstance(options.json_data, Mapping) else {}
        body |= attached_files(getattr(options, "files", None))
        provider = self.find_provider(client)
        return _Begun(Call(runtime, endpoint, body, provider=provider, base_url=str(client.base_url)))


def _given(body: Mapping[str, Any]) -> dict[str, Any]:
    """What the caller said; the clients mark the rest with objects of their own."""
    return {name: value for name, value in body.items() if type(value).__name__ not in NOT_GIVEN}


def wrap_client(client: Client, api: Api) -> Client:
    """The same client, traced from now on; its copies too. Wrapping twice is wrapping once."""
    if not callable(getattr(client, "request", None)):
        log.error("%r is no client of the openai or anthropic package; it stays as it is", type(client).__name__)
    elif not getattr(client, MARK, False):
        guarded(_wrap)(client, api)
    return client


def wrap_client_class(kind: Any, api: Api) -> None:
    """Traces every client of a class, also those that exist already."""
    if getattr(kind, MARK, False):
        return
    is_async = hasattr(kind, "__aenter__")
    kind.request = (_async_request if is_async else _request)(api, kind.request)
    note_retries(kind)
    setattr(kind, MARK, True)


def _wrap(client: Any, api: Api) -> None:
    is_async = hasattr(client, "__aenter__")
    request = (_async_request if is_async else _request)(api, _unbound(client.request))
    client.request = types.MethodType(request, client)
    note_retries(client)
    for name in COPIES:
        if hasattr(client, name):
            setattr(client, name, _copying(getattr(client, name), api))
    setattr(client, MARK, True)


def _unbound(method: Callable[..., Any]) -> Callable[..., Any]:
    """A method of one object as a function of any; that object may have been given its own by others."""
    return lambda _, *args, **kwargs: method(*args, **kwargs)


def _copying(copy: Callable[..., Any], api: Api) -> Callable[..., Any]:
    def copy_and_wrap(*args: Any, **kwargs: Any) -> Any:
        return wrap_client(copy(*args, **kwargs), api)

    return copy_and_wrap


class _Begun(Sending):
    """A call of such a client, whose reply may be an object, a stream or a raw response."""

    @guarded
    def replied(self, reply: Any) -> None:
        """Closes the call, now or when the body has been read."""
        self.leave()
        response = _http_response(reply)
        if response is None:
            self.call.close(reply)
        elif getattr(response, "is_closed", False):
            self.call.close(content_of(response))
        else:
            watch(self.call, response)


def _http_response(reply: Any) -> Any:
    """The HTTP response of a stream, of a raw response or of binary content; None of a parsed model."""
    for name in ("http_response", "response"):
        response = getattr(reply, name, None)
        if hasattr(response, "iter_bytes") and hasattr(response, "headers"):
            return response
    return reply if hasattr(reply, "iter_bytes") and hasattr(reply, "is_closed") else None


def content_of(response: Any) -> Any:
    """A body that has been read already."""
    content_type = str(response.headers.get("content-type", "")).partition(";")[0]
    if content_type.endswith("json"):
        return response.json()
    if content_type.startswith("text/"):
        return response.text
    return described(content_type, response.content, len(response.content))


def _request(api: Api, request: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(request)
    def traced_request(client: Any, cast_to: Any, options: Any, *args: Any, **kwargs: Any) -> Any:
        begun = api.begin(client, options)
        if begun is None:
            return request(client, cast_to, options, *args, **kwargs)
        with begun:
            reply = request(client, cast_to, options, *args, **kwargs)
        begun.replied(reply)
        return reply

    return traced_request


def _async_request(api: Api, request: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(request)
    async def traced_request(client: Any, cast_to: Any, options: Any, *args: Any, **kwargs: Any) -> Any:
        begun = api.begin(client, options)
        if begun is None:
            return await request(client, cast_to, options, *args, **kwargs)
        with begun:
            reply = await request(client, cast_to, options, *args, **kwargs)
        begun.replied(reply)
        return reply

    return traced_request


def note_retries(holder: Any) -> None:
    """Tells the current call of each further try; `holder` is a client or a class of clients."""
    name = next((name for name in BETWEEN_TRIES if hasattr(holder, name)), None)
    between = getattr(holder, name) if name is not None else None
    if name is None or between is None or getattr(between, MARK, False):
        return
    wrapper = _async_retry if inspect.iscoroutinefunction(between) else _retry
    is_class = isinstance(holder, type)
    noting: Any = wrapper(between if is_class else _unbound(between))
    setattr(noting, MARK, True)
    setattr(holder, name, noting if is_class else types.MethodType(noting, holder))


def _retry(sleep: Callable[..., Any]) -> Callable[..., Any]:
    """Notes each further try."""

    @functools.wraps(sleep)
    def note_and_sleep(client: Any, *args: Any, **kwargs: Any) -> Any:
        _note_retry(kwargs.get("response"))
        return sleep(client, *args, **kwargs)

    return note_and_sleep


def _async_retry(sleep: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(sleep)
    async def note_and_sleep(client: Any, *args: Any, **kwargs: Any) -> Any:
        _note_retry(kwargs.get("response"))
        return await sleep(client, *args, **kwargs)

    return note_and_sleep


@guarded
def _note_retry(response: Any) -> None:
    call = current_call.get()
    if call is not None:
        call.retrying(str(response.status_code) if response is not None else "no response")
