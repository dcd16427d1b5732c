"""The lock files hold what `pyproject.toml` asks for, with hashes and without addresses."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCKS = {
    "requirements.lock": (
        *("collector", "anthropic", "google-genai", "openai", "dev"),
        *("bedrock", "crewai", "dspy", "langchain", "llama-index", "mcp", "openai-agents"),
    ),
    "deploy/requirements.lock": ("collector",),
}


def pins(lock: str) -> dict[str, set[Version]]:
    """Locked versions by package name; several where they differ by platform."""
    found: dict[str, set[Version]] = {}
    for name, version in re.findall(r"^([\w.-]+)(?:\[.*?\])?==([^\s;]+)", (ROOT / lock).read_text(), re.MULTILINE):
        found.setdefault(name, set()).add(Version(version))
    return found


def wanted(extras: tuple[str, ...]) -> list[Requirement]:
    texts = [*PROJECT["dependencies"]]
    for extra in extras:
        texts += PROJECT["optional-dependencies"][extra]
    requirements = [Requirement(text) for text in texts]
    return [requirement for requirement in requirements if requirement.name != "spanloop"]


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_satisfies_the_project(lock: str) -> None:
    locked = pins(lock)
    unsatisfied = [
        str(requirement)
        for requirement in wanted(LOCKS[lock])
        if not locked.get(requirement.name)
        or not all(requirement.specifier.contains(version) for version in locked[requirement.name])
    ]
    assert unsatisfied == [], "run: python deploy/lock.py"


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_has_hashes_and_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text()
    entries = re.findall(r"^[\w.-]+(?:\[.*?\])?==.*\n(?:    .*\n)*", text, re.MULTILINE)
    assert len(entries) > 30
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert "://" not in text


def test_image_holds_no_development_tools() -> None:
    assert pins("deploy/requirements.lock").keys().isdisjoint({"pytest", "mypy", "ruff", "hypothesis"})
