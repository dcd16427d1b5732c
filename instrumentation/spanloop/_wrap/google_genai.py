"""`wrap_google_genai`: the Google Gen AI client, sync and async, for the Gemini API and Vertex AI.

Models, chats and automatic function calling all send requests through four methods of one object inside the client.
Replacing those covers whatever they offer, each round of function calling as a span of its own.
"""

from __future__ import annotations

import functools
import json
import types
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from spanloop import _runtime
from spanloop._failsafe import guarded, log
from spanloop._wrap.call import Call
from spanloop._wrap.carried import carried, carried_async
from spanloop._wrap.endpoint import Endpoint
from spanloop._wrap.google_generate import Embed, GenerateContent, Predict
from spanloop._wrap.google_interactions_client import trace_interactions
from spanloop._wrap.google_live_client import trace_live
from spanloop._wrap.google_stream import watched, watched_async
from spanloop._wrap.providers import provider_of
from spanloop._wrap.sending import Sending, current_call, is_covered

Client = TypeVar("Client")
Method = Callable[..., Any]

MARK = "_spanloop_wrapped"
GENERATE, EMBED, PREDICT = GenerateContent(), Embed(), Predict()
ENDPOINTS: dict[str, Endpoint] = {
    "generateContent": GENERATE,
    "streamGenerateContent": GENERATE,
    "batchEmbedContents": EMBED,
    "embedContent": EMBED,
    "predict": PREDICT,
}


def wrap_google_genai(client: Client) -> Client:
    """Traces the calls of models that a `google.genai.Client` makes, with its `aio`, its models and its chats.

    Covers generating content, whole and streamed, function calling round by round, interactions, live sessions turn by
    turn, embeddings and images, on the Gemini API and Vertex AI. Thoughts count as output, cached tokens once. The
    row's input is the contents as sent, its output the candidates, or steps, as received.

        client = spanloop.wrap_google_genai(genai.Client())
    """
    sender = getattr(client, "_api_client", None)
    if not callable(getattr(sender, "request", None)):
        log.error("%r is no client of the google-genai package; it stays as it is", type(client).__name__)
    elif not getattr(sender, MARK, False):
        guarded(_wrap)(client, sender)
    return client


def wrap_google_genai_classes(module: Any) -> None:
    """Traces every client of the package, also those that exist already."""
    from google.genai import _api_client

    if getattr(_api_client.BaseApiClient, MARK, False):
        return
    for name, wrapper in WRAPPERS.items():
        _replace(_api_client.BaseApiClient, name, wrapper)
    for kind, wrapper in ((module.models.Models, carried), (module.models.AsyncModels, carried_async)):
        _replace(kind, "generate_content_stream", wrapper)
    for kind, wrapper in ((module.chats.Chat, carried), (module.chats.AsyncChat, carried_async)):
        _replace(kind, "send_message_stream", wrapper)
    setattr(_api_client.BaseApiClient, MARK, True)
    trace_interactions()
    trace_live()


def _wrap(client: Any, sender: Any) -> None:
    for name, wrapper in WRAPPERS.items():
        _replace(sender, name, wrapper)
    is_async = not hasattr(client, "aio")
    _replace(client.models, "generate_content_stream", carried_async if is_async else carried)
    if not is_async:
        _replace(client.aio.models, "generate_content_stream", carried_async)
    setattr(sender, MARK, True)
    trace_interactions()
    trace_live()


def _replace(holder: Any, name: str, wrapper: Callable[[Method], Method]) -> None:
    """A method of a class, or of one object; older versions of the package lack some."""
    method = getattr(holder, name, None)
    if method is None:
        return
    if isinstance(holder, type):
        setattr(holder, name, wrapper(method))
    else:
        unbound = functools.wraps(method)(lambda _, *args, **kwargs: method(*args, **kwargs))
        setattr(holder, name, types.MethodType(wrapper(unbound), holder))


@guarded
def _begin(client: Any, method: str, path: str, body: Any, *, is_stream: bool = False) -> Call | None:
    """Opens the span of a request; None if the request is not traced."""
    runtime = _runtime.active()
    if runtime is None or is_covered() or method.lower() != "post" or not isinstance(body, Mapping):
        return None
    resource, _, operation = path.partition("?")[0].rpartition(":")
    endpoint = ENDPOINTS.get(operation)
    if endpoint is PREDICT and any("content" in each for each in body.get("instances") or ()):
        endpoint = EMBED
    if endpoint is None:
        return None
    given = {"model": resource.rpartition("models/")[2], **({"stream": True} if is_stream else {})}
    given |= {name: value for name, value in body.items() if not name.startswith("_")}
    base_url = str(client._http_options.base_url or "")
    provider = "gcp.vertex_ai" if client.vertexai else provider_of(base_url, "gcp.gemini")
    return Call(runtime, endpoint, given, provider=provider, base_url=base_url)


def _close(sending: Sending, reply: Any) -> None:
    """Reading the reply is left to the sending thread."""
    sending.leave()
    body = getattr(reply, "body", reply)  # older versions of the package return the object itself
    size = len(body) if isinstance(body, str) else 0
    sending.call.close_later(lambda: json.loads(body) if isinstance(body, str) else body, size, None)


def _request(request: Method) -> Method:
    @functools.wraps(request)
    def traced_request(client: Any, method: str, path: str, body: Any, *args: Any, **kwargs: Any) -> Any:
        call = _begin(client, method, path, body)
        if call is None:
            return request(client, method, path, body, *args, **kwargs)
        with Sending(call) as sending:
            reply = request(client, method, path, body, *args, **kwargs)
        _close(sending, reply)
        return reply

    return traced_request


def _async_request(request: Method) -> Method:
    @functools.wraps(request)
    async def traced_request(client: Any, method: str, path: str, body: Any, *args: Any, **kwargs: Any) -> Any:
        call = _begin(client, method, path, body)
        if call is None:
            return await request(client, method, path, body, *args, **kwargs)
        with Sending(call) as sending:
            reply = await request(client, method, path, body, *args, **kwargs)
        _close(sending, reply)
        return reply

    return traced_request


def _stream(request: Method) -> Method:
    @functools.wraps(request)
    def traced_stream(client: Any, method: str, path: str, body: Any, *args: Any, **kwargs: Any) -> Any:
        call = _begin(client, method, path, body, is_stream=True)
        chunks = request(client, method, path, body, *args, **kwargs)  # asks for the first when that is wanted
        return chunks if call is None else watched(chunks, call)

    return traced_stream


def _async_stream(request: Method) -> Method:
    @functools.wraps(request)
    async def traced_stream(client: Any, method: str, path: str, body: Any, *args: Any, **kwargs: Any) -> Any:
        call = _begin(client, method, path, body, is_stream=True)
        if call is None:
            return await request(client, method, path, body, *args, **kwargs)
        with Sending(call) as sending:
            chunks = await request(client, method, path, body, *args, **kwargs)
        sending.leave()
        return watched_async(chunks, call)

    return traced_stream


def _try(once: Method) -> Method:
    """The client calls this for every try."""

    @functools.wraps(once)
    def noted_try(*args: Any, **kwargs: Any) -> Any:
        call = current_call.get()
        if call is None:
            return once(*args, **kwargs)
        call.trying()
        try:
            return once(*args, **kwargs)
        except BaseException as error:
            call.try_failed(_outcome(error))
            raise

    return noted_try


def _async_try(once: Method) -> Method:
    @functools.wraps(once)
    async def noted_try(*args: Any, **kwargs: Any) -> Any:
        call = current_call.get()
        if call is None:
            return await once(*args, **kwargs)
        call.trying()
        try:
            return await once(*args, **kwargs)
        except BaseException as error:
            call.try_failed(_outcome(error))
            raise

    return noted_try


def _outcome(error: BaseException) -> str:
    code = getattr(error, "code", None)
    return str(code) if isinstance(code, int) else "no response"


WRAPPERS: dict[str, Callable[[Method], Method]] = {
    "request": _request,
    "async_request": _async_request,
    "request_streamed": _stream,
    "async_request_streamed": _async_stream,
    "_request_once": _try,
    "_async_request_once": _async_try,
}
