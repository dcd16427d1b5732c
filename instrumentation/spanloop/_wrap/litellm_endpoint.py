"""Reads LiteLLM's requests and replies, which have the shape of OpenAI's whoever answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spanloop._wrap import genai
from spanloop._wrap.endpoint import Closing, Endpoint, Opening, read

# What of a call is recorded. The rest are keys, addresses, callbacks and other settings of LiteLLM's own.
RECORDED = """
    model messages prompt input instructions stream stream_options temperature top_p top_k n stop max_tokens
    max_completion_tokens max_output_tokens frequency_penalty presence_penalty logit_bias logprobs top_logprobs
    seed tools tool_choice parallel_tool_calls functions function_call response_format reasoning reasoning_effort
    thinking modalities audio prediction dimensions encoding_format size quality style previous_response_id
    truncation text web_search_options verbosity service_tier num_retries
"""
# LiteLLM's names of providers, where OpenTelemetry's conventions have others.
PROVIDERS = {
    "azure": "azure.ai.openai",
    "azure_ai": "azure.ai.inference",
    "azure_text": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "bedrock_converse": "aws.bedrock",
    "cohere_chat": "cohere",
    "custom_openai": "openai",
    "gemini": "gcp.gemini",
    "mistral": "mistral_ai",
    "moonshot": "moonshot_ai",
    "perplexity": "perplexity",
    "sagemaker": "aws.sagemaker",
    "text-completion-openai": "openai",
    "together_ai": "together",
    "vertex_ai": "gcp.vertex_ai",
    "watsonx": "ibm.watsonx.ai",
    "xai": "x_ai",
}
USAGE = "gen_ai.usage."
LEFT_OVERS = "provider_specific_fields"  # on every object, mostly empty
_RECORDED = frozenset(RECORDED.split())


class LiteLLMEndpoint:
    """One of OpenAI's operations, as LiteLLM offers it."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self.operation = endpoint.operation

    def read_request(self, body: Mapping[str, Any]) -> Opening:
        return self._endpoint.read_request({name: value for name, value in body.items() if name in _RECORDED})

    def read_reply(self, reply: Any) -> Closing:
        hidden = getattr(reply, "_hidden_params", None)
        plain = plain_reply(reply)
        closing = self._endpoint.read_reply(plain)
        if written := read(plain, "usage", "cache_creation_input_tokens"):
            closing.attributes[genai.CACHE_WRITE_TOKENS] = written
        if not isinstance(hidden, Mapping):
            return closing
        if hidden.get("cache_hit"):  # nobody was asked, nothing is owed
            closing.attributes = {k: v for k, v in closing.attributes.items() if not k.startswith(USAGE)}
            closing.metadata = {**closing.metadata, "cache_hit": True}
        elif provider := hidden.get("custom_llm_provider"):
            closing.attributes[genai.PROVIDER] = provider_name(str(provider))
        return closing

    def join(self, events: list[Mapping[str, Any]]) -> Any:
        return self._endpoint.join(events)

    def is_token(self, event: Mapping[str, Any]) -> bool:
        return self._endpoint.is_token(event)


def provider_name(name: str) -> str:
    """The name by OpenTelemetry's conventions."""
    return PROVIDERS.get(name, PROVIDERS.get(name.partition("-")[0], name))


def plain_reply(reply: Any) -> Any:
    """A reply, or a piece of one, without what was never said."""
    dump = getattr(reply, "model_dump", None)
    return _said(dump(mode="json", warnings=False)) if callable(dump) else reply


def _said(value: Any) -> Any:
    if isinstance(value, list):
        return [_said(each) for each in value]
    if not isinstance(value, dict):
        return value
    said = {name: _said(each) for name, each in value.items() if each is not None}
    return {name: each for name, each in said.items() if each or name != LEFT_OVERS}
