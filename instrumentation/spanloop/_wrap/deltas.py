"""Puts streamed pieces of an object together: text grows, numbered lists fill, the rest is replaced."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

WHOLE_TEXTS = frozenset(("role", "id", "type", "name", "object", "finish_reason"))  # sent once, or repeated


class Assembly:
    """An object that arrives in pieces."""

    def __init__(self) -> None:
        self._fields: dict[str, Any] = {}

    def add(self, piece: Mapping[str, Any]) -> None:
        fields = self._fields
        for name, value in piece.items():
            if isinstance(value, str) and name not in WHOLE_TEXTS:
                parts = fields.get(name)
                if isinstance(parts, _Text):
                    parts.append(value)
                else:
                    fields[name] = _Text((value,))
            elif value is None:
                fields.setdefault(name, None)
            elif isinstance(value, Mapping):
                self._inner(name, Assembly).add(value)
            elif isinstance(value, list) and _are_numbered(value):
                self._inner(name, _Numbered).add(value)
            elif isinstance(value, list) and isinstance(fields.get(name), list):
                fields[name] = [*fields[name], *value]
            else:
                fields[name] = value

    def _inner(self, name: str, kind: type[Any]) -> Any:
        if not isinstance(self._fields.get(name), kind):
            self._fields[name] = kind()
        return self._fields[name]

    def whole(self) -> dict[str, Any]:
        """The object as far as it arrived."""
        return {name: _whole(value) for name, value in self._fields.items()}


class _Text(list[str]):
    """Pieces of one text; joined once, since adding one by one copies it again and again."""


class _Numbered:
    """List items whose pieces say which item they belong to, as those of tool calls do."""

    def __init__(self) -> None:
        self._items: dict[Any, Assembly] = {}

    def add(self, pieces: list[Mapping[str, Any]]) -> None:
        for piece in pieces:
            self._items.setdefault(piece["index"], Assembly()).add(piece)

    def whole(self) -> list[dict[str, Any]]:
        return [item.whole() for item in self._items.values()]


def _are_numbered(values: list[Any]) -> bool:
    return bool(values) and all(isinstance(each, Mapping) and "index" in each for each in values)


def _whole(value: Any) -> Any:
    if isinstance(value, _Text):
        return "".join(value)
    return value.whole() if isinstance(value, Assembly | _Numbered) else value
