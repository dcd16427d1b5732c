"""Which provider a client talks to, by the address it uses."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import urlsplit

# Names as in OpenTelemetry's `gen_ai.provider.name`; ends of host names.
HOSTS = {
    "api.openai.com": "openai",
    ".openai.azure.com": "azure.ai.openai",
    ".cognitiveservices.azure.com": "azure.ai.openai",
    ".services.ai.azure.com": "azure.ai.inference",
    ".models.ai.azure.com": "azure.ai.inference",
    "api.anthropic.com": "anthropic",
    "api.cohere.com": "cohere",
    "api.cohere.ai": "cohere",
    "api.deepseek.com": "deepseek",
    "generativelanguage.googleapis.com": "gcp.gemini",
    "aiplatform.googleapis.com": "gcp.vertex_ai",
    "api.groq.com": "groq",
    "api.mistral.ai": "mistral_ai",
    "api.moonshot.ai": "moonshot_ai",
    "api.moonshot.cn": "moonshot_ai",
    "api.perplexity.ai": "perplexity",
    "api.x.ai": "x_ai",
    "openrouter.ai": "openrouter",
    "api.together.xyz": "together",
    "api.fireworks.ai": "fireworks",
    "api.cerebras.ai": "cerebras",
    ".amazonaws.com": "aws.bedrock",
}


@lru_cache(maxsize=256)
def provider_of(base_url: str, speaks: str) -> str:
    """The provider's name; `speaks`, whose API it is, where the host is nobody we know."""
    host = (urlsplit(base_url).hostname or "").lower()
    for end, name in HOSTS.items():
        if host == end.lstrip(".") or host.endswith(end if end.startswith(".") else f".{end}"):
            return name
        # Regional hosts put the region in front with a dash: us-central1-aiplatform.googleapis.com.
        if host.endswith(f"-{end}"):
            return name
    return speaks


@lru_cache(maxsize=256)
def server_of(base_url: str) -> tuple[str, int | None]:
    """Host and port, for `server.address` and `server.port`."""
    parts = urlsplit(base_url)
    return parts.hostname or "", parts.port
