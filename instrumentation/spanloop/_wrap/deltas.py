"""Puts streamed pieces of an object together: text grows, numbered lists fill, the rest is replaced."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

WHOLE_TEXTS = ("role", "id", "type", "name", "object", "finish_reason")  # sent once, or repeated


def add_delta(target: dict[str, Any], delta: Mapping[str, Any]) -> None:
    """Adds one piece to `target`."""
    for name, value in delta.items():
        before = target.get(name)
        if value is None:
            target.setdefault(name, None)
        elif isinstance(value, str) and isinstance(before, str) and name not in WHOLE_TEXTS:
            target[name] = before + value
        elif isinstance(value, Mapping):
            add_delta(_dictionary(target, name), value)
        elif isinstance(value, list) and all(isinstance(each, Mapping) and "index" in each for each in value):
            _add_numbered(_list(target, name), value)
        elif isinstance(value, list) and isinstance(before, list):
            target[name] = [*before, *value]
        else:
            target[name] = value


def _add_numbered(items: list[dict[str, Any]], pieces: list[Mapping[str, Any]]) -> None:
    """Pieces of list items say which item they belong to, as those of tool calls do."""
    for piece in pieces:
        item = next((each for each in items if each.get("index") == piece["index"]), None)
        if item is None:
            item = {}
            items.append(item)
        add_delta(item, piece)


def _dictionary(target: dict[str, Any], name: str) -> dict[str, Any]:
    if not isinstance(target.get(name), dict):
        target[name] = {}
    found: dict[str, Any] = target[name]
    return found


def _list(target: dict[str, Any], name: str) -> list[Any]:
    if not isinstance(target.get(name), list):
        target[name] = []
    found: list[Any] = target[name]
    return found
