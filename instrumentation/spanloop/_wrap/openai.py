"""`wrap_openai`: the OpenAI client, sync and async, also for Azure and OpenAI-compatible providers."""

from __future__ import annotations

import re
from typing import Any, TypeVar

from spanloop._wrap.client import Api, wrap_client
from spanloop._wrap.endpoint import Endpoint
from spanloop._wrap.openai_chat import ChatCompletions, Completions
from spanloop._wrap.openai_others import Embeddings, Images, Moderations, Speech, Transcriptions
from spanloop._wrap.openai_responses import Responses
from spanloop._wrap.providers import provider_of

Client = TypeVar("Client")

ENDPOINTS: dict[str, Endpoint] = {
    "/chat/completions": ChatCompletions(),
    "/completions": Completions(),
    "/responses": Responses(),
    "/embeddings": Embeddings(),
    "/images/generations": Images(),
    "/images/edits": Images(),
    "/audio/speech": Speech(),
    "/audio/transcriptions": Transcriptions(),
    "/audio/translations": Transcriptions(),
    "/moderations": Moderations(),
}
_DEPLOYMENT = re.compile(r"^/deployments/[^/]+")


def wrap_openai(client: Client) -> Client:
    """Traces every call of an `OpenAI`, `AsyncOpenAI`, `AzureOpenAI` or `AsyncAzureOpenAI` client.

    Covers chat completions, responses, embeddings, images, audio and moderation, however they are
    called: streamed, parsed, raw. A streamed call's span ends with the stream and keeps what arrived. The
    row's input is the messages as sent, its output the choices as received, so that a row can be sent
    again; parameters and token counts carry OpenTelemetry's `gen_ai.*` names. Requests are not changed:
    for token counts of streamed chat completions, set `stream_options={"include_usage": True}`.

        client = spanloop.wrap_openai(openai.OpenAI())
    """
    return wrap_client(client, OPENAI)


def find_endpoint(options: Any) -> Endpoint | None:
    if str(options.method).lower() != "post":
        return None
    path = str(options.url).partition("?")[0]
    return ENDPOINTS.get(_DEPLOYMENT.sub("", path))


def find_provider(client: Any) -> str:
    if "Azure" in type(client).__name__:
        return "azure.ai.openai"
    return provider_of(str(client.base_url), "openai")


OPENAI = Api(find_endpoint, find_provider)
