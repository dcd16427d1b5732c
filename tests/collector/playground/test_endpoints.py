"""Endpoints as operators write them, in a file or in the environment, and how they are shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from spanloop_collector.configuration import resolve
from spanloop_collector.errors import ConfigError
from spanloop_collector.playground.endpoints import Endpoint, endpoints_of

DATA = {"SPANLOOP_DATA_DIR": "/data"}
FILE = """
[playground]
timeout_seconds = 30
[playground.endpoints.local]
url = "http://127.0.0.1:11434/v1/"
models = ["llama3.2"]
[playground.endpoints.mistral]
kind = "openai"
url = "https://api.mistral.ai/v1"
api_key = "$MISTRAL_API_KEY"
[playground.endpoints.openai]
api_key = "sk-literal"
"""


def test_tables_of_a_file_stand_beside_the_environment(tmp_path: Path) -> None:
    path = tmp_path / "spanloop.toml"
    path.write_text(FILE)
    resolved = resolve(environment=DATA, config_file=path)
    environment = {"OPENAI_API_KEY": "sk-environment", "ANTHROPIC_API_KEY": "sk-ant", "MISTRAL_API_KEY": "m"}
    assert endpoints_of(resolved.settings.playground.endpoints, environment) == {
        "openai": Endpoint("openai", "openai", "https://api.openai.com/v1", "sk-literal"),
        "anthropic": Endpoint("anthropic", "anthropic", "https://api.anthropic.com", "sk-ant"),
        "local": Endpoint("local", "openai", "http://127.0.0.1:11434/v1", "", ("llama3.2",)),
        "mistral": Endpoint("mistral", "openai", "https://api.mistral.ai/v1", "m"),
    }
    shown = next(value.shown for value in resolved.values if value.field.key == "playground.endpoints")
    assert "sk-literal" not in shown
    assert json.loads(shown)["openai"] == {"api_key": "***"}
    assert json.loads(shown)["mistral"]["api_key"] == "$MISTRAL_API_KEY"


def test_same_may_be_said_in_a_variable() -> None:
    table = '{"proxy": {"kind": "anthropic", "url": "http://proxy:8080"}}'
    resolved = resolve(environment=DATA | {"SPANLOOP_PLAYGROUND_ENDPOINTS": table})
    assert endpoints_of(resolved.settings.playground.endpoints, {}) == {
        "proxy": Endpoint("proxy", "anthropic", "http://proxy:8080", "")
    }


def test_without_any_there_is_none() -> None:
    assert endpoints_of(resolve(environment=DATA).settings.playground.endpoints, {}) == {}


def test_server_of_the_environment_needs_no_key() -> None:
    assert endpoints_of("", {"OPENAI_BASE_URL": "http://127.0.0.1:11434/v1"})["openai"].api_key == ""


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("{", "playground.endpoints is no table"),
        ("[]", "playground.endpoints is no table"),
        ({"a b": {}}, "expected a name"),
        ({"a": 1}, "playground.endpoints.a is no table"),
        ({"a": {"key": "secret"}}, "playground.endpoints.a.key is not a setting"),
        ({"a": {"kind": "soap"}}, "playground.endpoints.a.kind is 'soap'; expected openai or anthropic"),
        ({"a": {"url": "ftp://x"}}, "playground.endpoints.a.url"),
        ({"a": {"url": "http://me:secret@x"}}, "api_key is the place for a secret"),
        ({"a": {"api_key": 3}}, "playground.endpoints.a.api_key"),
        ({"a": {"models": "gpt"}}, "playground.endpoints.a.models"),
    ],
)
def test_bad_endpoint_stops_the_start(table: Any, words: str) -> None:
    text = table if isinstance(table, str) else json.dumps(table)
    with pytest.raises(ConfigError) as refused:
        resolve(environment=DATA | {"SPANLOOP_PLAYGROUND_ENDPOINTS": text})
    assert words in str(refused.value)
    assert "secret@" not in str(refused.value)


def test_key_that_names_a_missing_variable_stops_the_start() -> None:
    with pytest.raises(ConfigError, match="names the variable NOT_THERE, which is not set"):
        endpoints_of('{"a": {"api_key": "$NOT_THERE"}}', {})
