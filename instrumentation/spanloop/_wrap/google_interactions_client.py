"""Traces the Interactions API of a Google Gen AI client, whose requests go through a client of another make."""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from spanloop import _runtime
from spanloop._failsafe import guarded
from spanloop._wrap.call import Call
from spanloop._wrap.client import content_of
from spanloop._wrap.google_interactions import Interactions
from spanloop._wrap.imported import when_imported
from spanloop._wrap.providers import provider_of
from spanloop._wrap.sending import Sending, current_call, is_covered
from spanloop._wrap.stream import watch

Method = Callable[..., Any]

MODULE = "google.genai._gaos.google_genai"
MARK = "_spanloop_wrapped"
MODEL, AGENT = Interactions("generate_content"), Interactions("invoke_agent")


def trace_interactions() -> None:
    """From now on those of clients that are marked, once the application uses the first."""
    when_imported(MODULE, _wrap)


def _wrap(module: Any) -> None:
    for name, method, wrapper in (
        ("GeminiNextGenInteractions", "do_request", _request),
        ("AsyncGeminiNextGenInteractions", "do_request_async", _async_request),
    ):
        kind = getattr(module, name)
        if MARK not in vars(kind):
            setattr(kind, method, wrapper(getattr(kind, method)))
            setattr(kind, MARK, True)


@guarded
def _begin(resource: Any, request: Any, sender: Any) -> Sending | None:
    """Opens the span of a request; None if it is not traced. `sender` is the HTTP client."""
    runtime = _runtime.active()
    if runtime is None or is_covered() or not getattr(resource._api_client, MARK, False):
        return None
    if request.method != "POST" or not request.url.path.endswith("/interactions"):
        return None
    body = json.loads(request.content)
    base_url = str(request.url)
    provider = "gcp.vertex_ai" if resource._api_client.vertexai else provider_of(base_url, "gcp.gemini")
    call = Call(runtime, AGENT if body.get("agent") else MODEL, body, provider=provider, base_url=base_url)
    _note_tries(sender)
    return Sending(call)


@guarded
def _replied(sending: Sending, response: Any) -> None:
    """Closes the call, now or when the body has been read."""
    sending.leave()
    if response.is_closed:
        sending.call.close(content_of(response))
    else:
        watch(sending.call, response)


def _request(request: Method) -> Method:
    @functools.wraps(request)
    def traced_request(resource: Any, *args: Any, **kwargs: Any) -> Any:
        sending = _begin(resource, kwargs.get("request"), resource.sdk_configuration.client)
        if sending is None:
            return request(resource, *args, **kwargs)
        with sending:
            response = request(resource, *args, **kwargs)
        _replied(sending, response)
        return response

    return traced_request


def _async_request(request: Method) -> Method:
    @functools.wraps(request)
    async def traced_request(resource: Any, *args: Any, **kwargs: Any) -> Any:
        sending = _begin(resource, kwargs.get("request"), resource.sdk_configuration.async_client)
        if sending is None:
            return await request(resource, *args, **kwargs)
        with sending:
            response = await request(resource, *args, **kwargs)
        _replied(sending, response)
        return response

    return traced_request


def _note_tries(sender: Any) -> None:
    """Tells the current call of each of its tries."""
    if MARK not in vars(sender):
        wrapper = _async_try if inspect.iscoroutinefunction(sender.send) else _try
        sender.send = wrapper(sender.send)
        setattr(sender, MARK, True)


def _try(send: Method) -> Method:
    @functools.wraps(send)
    def noted_try(*args: Any, **kwargs: Any) -> Any:
        with _noted() as note:
            return note(send(*args, **kwargs))

    return noted_try


def _async_try(send: Method) -> Method:
    @functools.wraps(send)
    async def noted_try(*args: Any, **kwargs: Any) -> Any:
        with _noted() as note:
            return note(await send(*args, **kwargs))

    return noted_try


@contextmanager
def _noted() -> Iterator[Callable[[Any], Any]]:
    """One try of the current call, if there is one; takes and returns its response."""
    call = current_call.get()

    def note(response: Any) -> Any:
        if call is not None and response.status_code >= 400:
            call.try_failed(str(response.status_code))
        return response

    if call is not None:
        call.trying()
    try:
        yield note
    except BaseException:
        if call is not None:
            call.try_failed("no response")
        raise
