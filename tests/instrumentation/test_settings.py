"""Arguments win over the environment, the environment over defaults; mistakes are said, not raised."""

from __future__ import annotations

import pytest
from spanloop._settings import Settings, resolve


def test_defaults_are_a_collector_on_this_machine() -> None:
    settings, problems = resolve({}, {})
    assert settings == Settings(endpoint="http://127.0.0.1:4317", protocol="grpc")
    assert problems == []


def test_everything_can_come_from_the_environment() -> None:
    environ = {
        "SPANLOOP_PROJECT": "bot",
        "SPANLOOP_API_KEY": "sl_1_secret",
        "SPANLOOP_ENDPOINT": "https://collector.example.com",
        "SPANLOOP_PROTOCOL": "http/protobuf",
        "SPANLOOP_ENV": "development",
        "SPANLOOP_COMPRESSION": "gzip",
        "SPANLOOP_MAX_QUEUE_BYTES": "1000",
        "SPANLOOP_FLUSH_INTERVAL_SECONDS": "0.5",
    }
    settings, problems = resolve({}, environ)
    assert problems == []
    assert settings == Settings(
        project="bot",
        api_key="sl_1_secret",
        endpoint="https://collector.example.com:443",
        protocol="http/protobuf",
        environment="development",
        compression="gzip",
        max_queue_bytes=1000,
        flush_interval_seconds=0.5,
    )
    assert settings.sends_running_spans


def test_an_argument_wins_over_the_environment() -> None:
    settings, _ = resolve({"project": "argument"}, {"SPANLOOP_PROJECT": "environment"})
    assert settings.project == "argument"


def test_running_spans_can_be_turned_off_in_development() -> None:
    settings, _ = resolve({}, {"SPANLOOP_ENV": "development", "SPANLOOP_RUNNING_SPANS": "false"})
    assert not settings.sends_running_spans


@pytest.mark.parametrize("variables", [{"OTEL_SDK_DISABLED": "true"}, {"SPANLOOP_ENABLED": "0"}])
def test_tracing_can_be_turned_off(variables: dict[str, str]) -> None:
    assert not resolve({}, variables)[0].enabled


def test_the_applications_own_otlp_endpoint_is_not_ours() -> None:
    """Prompts must not go to whatever else the application sends its traces to."""
    settings, _ = resolve({}, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://vendor.example.com:4317"})
    assert settings.endpoint == "http://127.0.0.1:4317"


@pytest.mark.parametrize(
    ("given", "protocol", "endpoint"),
    [
        ("collector", "grpc", "http://collector:4317"),
        ("collector:4318", "http/protobuf", "http://collector:4318"),
        ("http://collector:4318/v1/traces", "http/protobuf", "http://collector:4318"),
        ("https://collector", "grpc", "https://collector:443"),
        ("http://collector:9000/base/", "grpc", "http://collector:9000/base"),
        ("http://[::1]:4317", "grpc", "http://[::1]:4317"),
    ],
)
def test_endpoint_and_protocol_complete_each_other(given: str, protocol: str, endpoint: str) -> None:
    settings, problems = resolve({"endpoint": given}, {})
    assert (settings.protocol, settings.endpoint, problems) == (protocol, endpoint, [])


@pytest.mark.parametrize(
    ("environ", "problem"),
    [
        (
            {"SPANLOOP_MAX_QUEUE_BYTES": "lots"},
            "SPANLOOP_MAX_QUEUE_BYTES='lots' is not a whole number of at least 0; ignored",
        ),
        (
            {"SPANLOOP_FLUSH_INTERVAL_SECONDS": "-1"},
            "SPANLOOP_FLUSH_INTERVAL_SECONDS='-1' is not a number of at least 0; ignored",
        ),
        (
            {"SPANLOOP_RUNNING_SPANS": "maybe"},
            "SPANLOOP_RUNNING_SPANS='maybe' is not true or false; ignored",
        ),
        (
            {"SPANLOOP_PROTOCOL": "grcp"},
            "protocol='grcp' is not one of grpc, http/protobuf; set protocol= or SPANLOOP_PROTOCOL",
        ),
        (
            {"SPANLOOP_ENDPOINT": "ftp://x"},
            "endpoint='ftp://x' is not http[s]://host:port; set endpoint= or SPANLOOP_ENDPOINT",
        ),
        (
            {"SPANLOOP_ENDPOINT": "http://x:port"},
            "endpoint='http://x:port' has no valid port; set endpoint= or SPANLOOP_ENDPOINT",
        ),
    ],
)
def test_a_mistake_is_named_and_the_default_used(environ: dict[str, str], problem: str) -> None:
    settings, problems = resolve({}, environ)
    assert problems == [problem]
    assert settings.protocol == "grpc"
    assert settings.max_queue_bytes == Settings().max_queue_bytes


def test_the_key_is_not_shown() -> None:
    assert "secret" not in repr(resolve({"api_key": "secret"}, {})[0])
