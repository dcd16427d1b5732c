"""The Dockerfile and the compose file say things that hold: files exist, settings are ours, keys are required."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from spanloop_collector.configuration import resolve
from spanloop_collector.errors import ConfigError

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()


@pytest.fixture
def services() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    return loaded


def image_environment() -> dict[str, str]:
    (block,) = re.findall(r"^ENV PATH=\S+ \\\n((?:.*\\\n)*.*)$", DOCKERFILE, re.MULTILINE)[-1:]
    return dict(pair.split("=", 1) for pair in block.replace("\\\n", " ").split())


def substitute(text: str, variables: dict[str, str]) -> str:
    """What compose makes of ${NAME}, ${NAME:-default} and ${NAME:?error}."""

    def value(match: re.Match[str]) -> str:
        name, operator, word = match.groups()
        if operator == ":?":
            assert name in variables, f"compose would refuse to start: {name}: {word}"
        return variables.get(name) or (word if operator == ":-" else "")

    return re.sub(r"\$\{(\w+)(?:(:[-?])([^}]*))?\}", value, text)


def collector_environment(services: dict[str, Any], **variables: str) -> dict[str, str]:
    composed = services["collector"]["environment"]
    return image_environment() | {name: substitute(str(text), variables) for name, text in composed.items()}


def test_image_alone_starts_with_keys_required() -> None:
    settings = resolve(environment=image_environment()).settings
    assert settings.auth.require_keys
    assert settings.receive.grpc_address == "0.0.0.0:4317"
    assert settings.data_dir == Path("/data")


def test_image_would_not_start_open_to_everyone() -> None:
    with pytest.raises(ConfigError, match="keys are off"):
        resolve(environment=image_environment() | {"SPANLOOP_REQUIRE_KEYS": "false"})


def test_compose_gives_the_collector_valid_settings(services: dict[str, Any]) -> None:
    environment = collector_environment(services, SPANLOOP_CLICKHOUSE_PASSWORD="secret")
    settings = resolve(environment=environment).settings
    assert settings.store.clickhouse_url == "http://spanloop:secret@clickhouse:8123"
    assert settings.auth.require_keys
    assert settings.store.retention_days == 0


def test_compose_refuses_to_start_without_a_password(services: dict[str, Any]) -> None:
    with pytest.raises(AssertionError, match="SPANLOOP_CLICKHOUSE_PASSWORD"):
        collector_environment(services)


def test_both_services_use_the_same_password(services: dict[str, Any]) -> None:
    users = (DEPLOY / "clickhouse" / "users.d" / "spanloop.xml").read_text()
    assert '<password from_env="SPANLOOP_CLICKHOUSE_PASSWORD"/>' in users
    assert "SPANLOOP_CLICKHOUSE_PASSWORD" in services["clickhouse"]["environment"]


def test_everything_mounted_or_built_from_exists(services: dict[str, Any]) -> None:
    binds = [mount.split(":")[0] for mount in services["clickhouse"]["volumes"] if mount.startswith("./")]
    assert len(binds) == 2
    assert [bind for bind in binds if not (DEPLOY / bind).is_file()] == []
    build = services["collector"]["build"]
    assert (DEPLOY / build["context"] / build["dockerfile"]).resolve() == DEPLOY / "Dockerfile"


def test_named_volumes_are_declared(services: dict[str, Any]) -> None:
    declared = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["volumes"]
    used = {mount.split(":")[0] for service in services.values() for mount in service["volumes"]}
    assert {name for name in used if not name.startswith(".")} == set(declared)


def test_ports_are_published_on_this_machine_only(services: dict[str, Any]) -> None:
    assert services["collector"]["ports"] == [f"127.0.0.1:{port}:{port}" for port in (4317, 4318, 7411)]
    assert "ports" not in services["clickhouse"]


def test_everything_copied_into_the_image_exists_and_is_not_ignored() -> None:
    lines = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    allowed = {line[1:] for line in lines if line.startswith("!")}
    copied = [
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
        for source in line.split()[:-1]
    ]
    assert set(copied) == allowed
    assert [source for source in copied if not (ROOT / source).exists()] == []


def test_image_runs_as_an_ordinary_user() -> None:
    final_stage = DOCKERFILE.rpartition("\nFROM ")[2]
    assert re.search(r"^USER spanloop$", final_stage, re.MULTILINE)
    assert "HEALTHCHECK" in final_stage
