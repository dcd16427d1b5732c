"""The providers that the playground may ask: those that the operator names, and those of the environment."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from spanloop_collector.errors import ConfigError

SETTING = "playground.endpoints"
OPENAI, ANTHROPIC = "openai", "anthropic"
KINDS = (OPENAI, ANTHROPIC)
OPENAI_URL = "https://api.openai.com/v1"
ANTHROPIC_URL = "https://api.anthropic.com"
FIELDS = ("kind", "url", "api_key", "models")

_NAME = re.compile(r"[\w.-]{1,60}")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A provider's API."""

    name: str
    """What people choose it by; where it is what prices are listed under, such as `mistral`, calls have a cost."""
    kind: str
    """openai or anthropic: the wire format."""
    url: str
    """Before `/chat/completions`, or before `/v1/messages`."""
    api_key: str = field(default="", repr=False)
    """`$NAME` stands for the environment variable of that name."""
    models: tuple[str, ...] = ()
    """Offered instead of those that the provider lists."""


def endpoints_of(text: str, environment: Mapping[str, str]) -> dict[str, Endpoint]:
    """Every endpoint by its name, keys filled in; those that are configured win over those of the environment.

    Raises ConfigError for a key that names a variable which is not set.
    """
    configured = {endpoint.name: _with_key(endpoint, environment) for endpoint in parse_endpoints(text)}
    return {endpoint.name: endpoint for endpoint in _of_environment(environment)} | configured


def parse_endpoints(text: str) -> list[Endpoint]:
    """The endpoints of a setting's JSON text; raises ConfigError that names what is wrong, never a key."""
    if not text:
        return []
    try:
        table = json.loads(text)
    except ValueError:
        table = None
    if not isinstance(table, dict):
        raise ConfigError(
            f"{SETTING} is no table; in a config file it is [{SETTING}.NAME] with kind and url, "
            'elsewhere JSON such as {"local": {"kind": "openai", "url": "http://127.0.0.1:11434/v1"}}'
        )
    return [_endpoint(name, given) for name, given in table.items()]


def _endpoint(name: str, given: Any) -> Endpoint:
    path = f"{SETTING}.{name}"
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{path}: expected a name of letters, digits, dots, dashes and underscores")
    if not isinstance(given, dict):
        raise ConfigError(f"{path} is no table; it has {', '.join(FIELDS)}")
    if unknown := [key for key in given if key not in FIELDS]:
        raise ConfigError(f"{path}.{unknown[0]} is not a setting; there are {', '.join(FIELDS)}")
    kind, api_key = given.get("kind", OPENAI), given.get("api_key", "")
    if kind not in KINDS:
        raise ConfigError(f"{path}.kind is {kind!r}; expected {' or '.join(KINDS)}")
    if not isinstance(api_key, str):
        raise ConfigError(f"{path}.api_key is no text; $NAME takes it from the environment")
    models = given.get("models", [])
    if not isinstance(models, list) or not all(isinstance(model, str) for model in models):
        raise ConfigError(f"{path}.models is no list of names")
    default = OPENAI_URL if kind == OPENAI else ANTHROPIC_URL
    return Endpoint(name, kind, _url(given.get("url", default), path), api_key, tuple(models))


def _url(url: Any, path: str) -> str:
    parts = urlsplit(url) if isinstance(url, str) else None
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
        raise ConfigError(f"{path}.url is not of the form http[s]://host[:port][/path]")
    if parts.username or parts.password:
        raise ConfigError(f"{path}.url carries a user or password; api_key is the place for a secret")
    return str(url).rstrip("/")


def _with_key(endpoint: Endpoint, environment: Mapping[str, str]) -> Endpoint:
    if not endpoint.api_key.startswith("$"):
        return endpoint
    variable = endpoint.api_key[1:]
    if variable not in environment:
        raise ConfigError(f"{SETTING}.{endpoint.name}.api_key names the variable {variable}, which is not set")
    return Endpoint(endpoint.name, endpoint.kind, endpoint.url, environment[variable], endpoint.models)


def _of_environment(environment: Mapping[str, str]) -> list[Endpoint]:
    """What the providers' own clients would use."""
    found = []
    for kind, prefix, url in ((OPENAI, "OPENAI", OPENAI_URL), (ANTHROPIC, "ANTHROPIC", ANTHROPIC_URL)):
        given_url, key = environment.get(f"{prefix}_BASE_URL", ""), environment.get(f"{prefix}_API_KEY", "")
        if given_url or key:
            found.append(Endpoint(kind, kind, (given_url or url).rstrip("/"), key))
    return found
