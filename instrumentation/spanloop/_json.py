"""Any Python value as JSON text: bounded, never raising, never changing what it looks at.

Two ways. Ordinary values go through the C encoder, which knows JSON's own types and asks `plain`
about the rest. What is too large, circular or not JSON after all is first copied, piece by piece and
within a budget, by `_bounded`; whatever had to be left out leaves a marker that contains "[truncated".
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from json import encoder as json_encoder
from typing import TYPE_CHECKING, Any

from spanloop import _runtime
from spanloop._attachments.find import LARGE_CHARS
from spanloop._plain import plain

if TYPE_CHECKING:
    from spanloop._attachments.keeper import Keeper

DEFAULT_MAX_CHARS = 4 * 1024 * 1024
MAX_NODES = 20_000  # values in one text; bounds the time a huge list can take
MAX_DEPTH = 40

TOO_MANY = float("inf")

_SCALARS = frozenset((str, int, float, bool, type(None)))


def _converted(value: Any) -> Any:
    """The nearest JSON type of a value that has none, without the large bytes in it."""
    keeper = _keeper()
    if keeper is not None and isinstance(value, bytes | bytearray | memoryview):
        value = bytes(value)
        found = keeper.take_out(value)
        return plain(value) if found is value else found
    return plain(value) if keeper is None else keeper.take_out(plain(value))


def _keeper() -> Keeper | None:
    runtime = _runtime.active()
    return None if runtime is None else runtime.attachments


def _make_encoder() -> Callable[[Any], str]:
    """The C encoder, made once: making one for each text, as `json.dumps` does, takes as long as using it.

    It does not look for circles; those end in a RecursionError, which sends the value the careful way.
    """
    c_make_encoder = getattr(json_encoder, "c_make_encoder", None)
    if c_make_encoder is None:  # a Python without the C module
        return json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_converted).encode
    encode = c_make_encoder(None, _converted, json_encoder.encode_basestring, None, ":", ",", False, False, False)
    return lambda value: "".join(encode(value, 0))


_encode = _make_encoder()
_quoted: Callable[[str], str] = json_encoder.encode_basestring


def to_json(value: object, max_chars: int = DEFAULT_MAX_CHARS) -> str:
    """`value` as JSON text of at most about `max_chars` characters.

    >>> to_json({"question": "why?", "at": datetime.date(2030, 1, 2)})
    '{"question":"why?","at":"2030-01-02"}'
    """
    if type(value) is str and len(value) < LARGE_CHARS and len(quoted := _quoted(value)) <= max_chars:  # as most are
        return _as_utf8(quoted)
    chars = _chars_in(value, max_chars)
    if chars >= LARGE_CHARS and (keeper := _keeper()) is not None:
        value = keeper.take_out(value)
        chars = _chars_in(value, max_chars)
    text = _fast(value, max_chars) if chars < TOO_MANY else None
    if text is None:
        text = _slow(value, max_chars)
    return _as_utf8(text)


def numbers_to_json(numbers: Mapping[str, float]) -> str:
    """Finite numbers by name as JSON text.

    >>> numbers_to_json({"exact": 1})
    '{"exact":1.0}'
    """
    members = ",".join([f"{to_json(name)}:{float(number)!r}" for name, number in numbers.items()])
    return f"{{{members}}}"


def _fast(value: object, max_chars: int) -> str | None:
    """The C encoder's answer, or None when the value needs the careful way."""
    try:
        text = _encode(value)
    except Exception:  # NaN, circular, odd keys, or a user's own method that raises
        return None
    return text if len(text) <= max_chars else None


def _chars_in(value: object, max_chars: int) -> float:
    """Size of the texts and bytes in plain containers; `TOO_MANY` where they, or their number, are out of bounds."""
    nodes, chars = 0, 0
    waiting: list[Any] = [(value,)]
    while waiting:
        members = waiting.pop()
        nodes += len(members)
        if nodes > MAX_NODES:
            return TOO_MANY
        for each in members.values() if type(members) is dict else members:
            kind = type(each)
            if kind is str or kind is bytes:
                chars += len(each)
            elif kind is dict or kind is list or kind is tuple:
                waiting.append(each)
        if chars > max_chars:
            return TOO_MANY
    return chars


def _slow(value: object, max_chars: int) -> str:
    try:
        return _encode(_bounded(value, _Budget(max_chars), 0, ()))
    except Exception:
        return json.dumps(f"<{type(value).__name__} that cannot be shown>")


class _Budget:
    """What may still be written."""

    __slots__ = ("chars", "nodes")

    def __init__(self, chars: int) -> None:
        self.chars = chars
        self.nodes = MAX_NODES

    @property
    def is_spent(self) -> bool:
        return self.chars <= 0 or self.nodes <= 0


def _bounded(value: Any, budget: _Budget, depth: int, parents: tuple[int, ...]) -> Any:
    """A copy made of JSON's own types that fits the budget."""
    budget.nodes -= 1
    kind = type(value)  # asking the object, as isinstance does, may run its own code
    if issubclass(kind, str):
        return _bounded_text(value, budget)
    if value is None or issubclass(kind, (bool, int, float)):
        return _bounded_number(value, budget)
    if id(value) in parents:
        return f"<circular reference to {kind.__name__}>"
    if depth >= MAX_DEPTH:
        return f"[truncated: nested deeper than {MAX_DEPTH} levels]"
    inside = (*parents, id(value))
    if issubclass(kind, dict):
        return _bounded_items(value, budget, depth, inside)
    if issubclass(kind, (list, tuple)):
        return _bounded_list(value, budget, depth, inside)
    return _bounded(_plain_or_name(value), budget, depth + 1, inside)


def _bounded_text(value: str, budget: _Budget) -> str:
    # At most half of what is left, so that one long text does not push its neighbours out.
    keep = max(budget.chars // 2, 100) if len(value) > budget.chars // 2 else len(value)
    budget.chars -= min(keep, len(value)) + 2
    if keep >= len(value):
        return str(value)
    return f"{value[:keep]}… [truncated: {keep} of {len(value)} characters]"


def _bounded_number(value: Any, budget: _Budget) -> Any:
    budget.chars -= 8
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, int) and value.bit_length() > 1024:
        return f"<int of {value.bit_length()} bits>"
    return value


def _bounded_items(value: dict[Any, Any], budget: _Budget, depth: int, inside: tuple[int, ...]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, each in list(value.items()):
        if budget.is_spent:
            result["[truncated]"] = f"{len(value) - len(result)} more keys"
            break
        name = _bounded_text(key if isinstance(key, str) else _key(key), budget)
        result[name] = _bounded(each, budget, depth + 1, inside)
    return result


def _key(key: object) -> str:
    if key is None or isinstance(key, bool):
        return json.dumps(key)
    return str(_plain_or_name(key))


def _bounded_list(value: Iterable[Any], budget: _Budget, depth: int, inside: tuple[int, ...]) -> list[Any]:
    items: list[Any] = list(value)
    result: list[Any] = []
    for each in items:
        if budget.is_spent:
            result.append(f"[truncated: {len(items) - len(result)} more items]")
            break
        result.append(_bounded(each, budget, depth + 1, inside))
    return result


def _plain_or_name(value: object) -> Any:
    if type(value) in _SCALARS:
        return value
    try:
        return _converted(value)
    except Exception:
        return f"<{type(value).__module__}.{type(value).__qualname__}>"


def _as_utf8(text: str) -> str:
    """The same JSON with half surrogate pairs as escapes, which UTF-8 and protobuf cannot carry."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode()
    return text
