"""Scoring rules in YAML: what `spanloop rules apply` reads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from spanloop_collector.errors import ConfigError


def read_rules(path: Path, *, project: str = "") -> list[tuple[str, dict[str, Any]]]:
    """The rules of a file as the API takes them, each with its place in it; raises ConfigError that says what is wrong.

    Rules that name no project belong to `project`.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is no YAML: {error}") from None
    rules = content.get("rules") if isinstance(content, Mapping) else content
    if not isinstance(rules, list):
        raise ConfigError(f"{path}: expected `rules:` with a list of rules")
    places: dict[tuple[str, str], str] = {}
    found = []
    for number, rule in enumerate(rules):
        where = f"{path}: rules[{number}]"
        request = {"project": project} | as_request(rule, where)
        key = (str(request["project"]), str(request.get("name", "")))
        if key in places:
            raise ConfigError(f"{where}: has the name {key[1]!r} of {places[key]}")
        places[key] = f"rules[{number}]"
        found.append((where, request))
    return found


def as_request(rule: object, where: str) -> dict[str, Any]:
    """One rule as the API takes it; a scorer may be written as its name alone."""
    if not isinstance(rule, Mapping):
        raise ConfigError(f"{where}: expected name, scorers, …; got {rule!r:.80}")
    scorers = rule.get("scorers")
    if isinstance(scorers, str | Mapping):
        scorers = [scorers]
    if not isinstance(scorers, list):
        raise ConfigError(f"{where}.scorers: expected a list, got {scorers!r:.80}")
    return dict(rule) | {"scorers": [{"use": each} if isinstance(each, str) else each for each in scorers]}
