"""`wrap_anthropic`: the Anthropic client, sync and async, also on Bedrock and Vertex."""

from __future__ import annotations

from typing import Any, TypeVar

from spanloop._wrap.anthropic_messages import Messages
from spanloop._wrap.client import Api, wrap_client
from spanloop._wrap.endpoint import Endpoint
from spanloop._wrap.providers import provider_of

Client = TypeVar("Client")

ENDPOINTS: dict[str, Endpoint] = {"/v1/messages": Messages()}
PLATFORMS = {"Bedrock": "aws.bedrock", "Vertex": "gcp.vertex_ai", "Foundry": "azure.ai.inference"}


def wrap_anthropic(client: Client) -> Client:
    """Traces every message of an `Anthropic` or `AsyncAnthropic` client, or one of its cloud variants.

    Covers `messages.create`, streamed or whole, `messages.stream` and its helpers, `messages.parse`, raw
    responses and the beta messages. Token counts include cached ones once; thinking is kept as a content
    block. A streamed message's span ends with the stream and keeps what arrived.

        client = spanloop.wrap_anthropic(anthropic.Anthropic())
    """
    return wrap_client(client, ANTHROPIC)


def find_endpoint(options: Any) -> Endpoint | None:
    if str(options.method).lower() != "post":
        return None
    return ENDPOINTS.get(str(options.url).partition("?")[0])


def find_provider(client: Any) -> str:
    name = type(client).__name__
    for platform, provider in PLATFORMS.items():
        if platform in name:
            return provider
    return provider_of(str(client.base_url), "anthropic")


ANTHROPIC = Api(find_endpoint, find_provider)
