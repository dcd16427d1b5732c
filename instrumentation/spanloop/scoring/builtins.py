"""Scorers that need no model: each compares, counts or looks for something.

An output that is no text is compared as its JSON text, keys in order. What has nothing to compare with is skipped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from spanloop.scoring.score import Score, ScoreError


def exact_match(output: Any, expected: Any) -> bool | None:
    """1 where output and expected are the same value; skipped without `expected`."""
    return None if expected is None else _comparable(output) == _comparable(expected)


def contains(output: Any, text: str | Sequence[str] = "", *, expected: Any = None, ignore_case: bool = True) -> Score:
    """The part of `text`, one or several, that the output contains; without `text`, of `expected`."""
    wanted = text or (expected if expected is not None else "")
    texts = [_text(each) for each in wanted] if isinstance(wanted, list | tuple) else [_text(wanted)]
    if not any(texts):
        return Score("contains", None, reason="there is nothing to look for: neither `text` nor `expected`")
    found_in = _text(output).casefold() if ignore_case else _text(output)
    missing = [each for each in texts if (each.casefold() if ignore_case else each) not in found_in]
    return Score("contains", 1 - len(missing) / len(texts), reason=_missing(missing))


def not_contains(output: Any, text: str | Sequence[str], *, ignore_case: bool = True) -> Score:
    """1 where the output contains none of the texts."""
    texts = [text] if isinstance(text, str) else list(text)
    found_in = _text(output).casefold() if ignore_case else _text(output)
    found = [each for each in texts if (each.casefold() if ignore_case else each) in found_in]
    return Score("not_contains", not found, reason=f"contains {', '.join(map(repr, found))}" if found else None)


def matches(output: Any, pattern: str) -> bool:
    """1 where the regular expression is found in the output."""
    try:
        return re.search(pattern, _text(output)) is not None
    except re.error as error:
        raise ScoreError(f"pattern {pattern!r} is no regular expression: {error}") from None


def is_json(output: Any) -> bool:
    """1 where the output is JSON: a value that was logged as one, or a text that parses."""
    if not isinstance(output, str):
        return output is not None
    try:
        json.loads(output)
    except ValueError:
        return False
    return True


def has_keys(output: Any, keys: Sequence[str]) -> Score:
    """The part of the keys that the output, an object or the text of one, has."""
    try:
        value = json.loads(output) if isinstance(output, str) else output
    except ValueError:
        return Score("has_keys", 0, reason="the output is no JSON")
    if not isinstance(value, dict):
        return Score("has_keys", 0, reason="the output is no JSON object")
    missing = [key for key in keys if key not in value]
    return Score("has_keys", 1 - len(missing) / len(keys) if keys else 1, reason=_missing(missing))


def length_between(output: Any, min_characters: int = 0, max_characters: int = 0) -> Score:
    """1 where the output's length lies between the two; 0 for `max_characters` means no upper bound."""
    length = len(_text(output))
    is_within = length >= min_characters and (not max_characters or length <= max_characters)
    return Score("length_between", is_within, {"characters": length})


def similarity(output: Any, expected: Any) -> Score:
    """How much of the longer text stays when one is edited into the other (Levenshtein); skipped without `expected`."""
    if expected is None:
        return Score("similarity", None, reason="the row has no `expected`")
    first, second = _text(output), _text(expected)
    longest = max(len(first), len(second))
    return Score("similarity", 1 - edit_distance(first, second) / longest if longest else 1)


def numeric_difference(output: Any, expected: Any) -> Score:
    """1 for equal numbers, less the further they are apart; skipped without `expected`."""
    if expected is None:
        return Score("numeric_difference", None, reason="the row has no `expected`")
    try:
        first, second = float(output), float(expected)
    except (TypeError, ValueError):
        return Score("numeric_difference", 0, reason=f"{_text(output)[:100]!r} is no number")
    largest = max(abs(first), abs(second))
    return Score("numeric_difference", max(1 - abs(first - second) / largest, 0) if largest else 1)


def no_error(trace: Any) -> Score:
    """1 where no span of the trace failed."""
    failed = [span["name"] for span in trace.spans if span.get("error")]
    return Score("no_error", not failed, reason=f"failed: {', '.join(failed[:10])}" if failed else None)


BUILTINS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        exact_match,
        contains,
        not_contains,
        matches,
        is_json,
        has_keys,
        length_between,
        similarity,
        numeric_difference,
        no_error,
    )
}
"""By the name that a rule uses."""


def edit_distance(first: str, second: str) -> int:
    """Insertions, deletions and replacements of a character that make one text the other."""
    if len(first) < len(second):
        first, second = second, first
    previous = list(range(len(second) + 1))
    for row, left in enumerate(first, 1):
        current = [row]
        for column, right in enumerate(second, 1):
            change = previous[column - 1] + (left != right)
            current.append(min(previous[column] + 1, current[-1] + 1, change))
        previous = current
    return previous[-1]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else _comparable(value)


def _comparable(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)


def _missing(missing: Sequence[str]) -> str | None:
    return f"missing {', '.join(map(repr, missing))}" if missing else None
