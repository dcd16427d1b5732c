"""What `log()` writes: row fields as span attributes, merged with what the span already has.

The span's own attributes are the only state, so any handle to the span, in any thread, adds to the same
row. Wrong values are reported in the log and left out; the rest of the call still counts.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any, Final

from spanloop import _attributes as names
from spanloop._failsafe import log
from spanloop._json import to_json

AttributeValues = dict[str, Any]


class Unset:
    """Type of `UNSET`."""

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset()
"""Marks an argument that was not given, where None is a value one may log."""


def fields_as_attributes(
    existing: Mapping[str, Any],
    max_chars: int,
    *,
    input: object = UNSET,
    output: object = UNSET,
    expected: object = UNSET,
    error: object = None,
    scores: Mapping[str, float | None] | None = None,
    metadata: Mapping[str, Any] | None = None,
    metrics: Mapping[str, float] | None = None,
    tags: Iterable[str] | None = None,
) -> AttributeValues:
    """Attributes to set so that the span holds `existing` and the given fields together."""
    written: AttributeValues = {}
    for name, value in ((names.INPUT, input), (names.OUTPUT, output), (names.EXPECTED, expected)):
        if value is not UNSET:
            written[name] = to_json(value, max_chars)
    if metadata:
        written[names.METADATA] = merged_json(existing.get(names.METADATA), metadata, max_chars)
    if metrics and (numbers := valid_metrics(metrics)):
        written[names.METRICS] = merged_json(existing.get(names.METRICS), numbers, max_chars)
    if scores and (numbers := valid_scores(scores)):
        written[names.SCORES] = merged_json(existing.get(names.SCORES), numbers, max_chars)
    if tags:
        written[names.TAGS] = merged_tags(existing.get(names.TAGS), tags)
    if error is not None:
        written[names.ERROR] = error_text(error)
    return written


def merged_json(existing: object, new: Mapping[str, Any], max_chars: int) -> str:
    """JSON text of an object that holds both, nested objects merged, `new` winning."""
    text = to_json({str(key): value for key, value in new.items()}, max_chars)
    if not isinstance(existing, str):
        return text
    return to_json(_merged(json.loads(existing), json.loads(text)), max_chars)


def _merged(old: Any, new: Any) -> Any:
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    return {**old, **{key: _merged(old.get(key), value) for key, value in new.items()}}


def merged_tags(existing: object, tags: Iterable[str]) -> tuple[str, ...]:
    """Both lists without repetition, in order of first appearance."""
    before = existing if isinstance(existing, tuple | list) else ()
    given = (tags,) if isinstance(tags, str) else tags
    return tuple(dict.fromkeys(encodable(str(tag)) for tag in (*before, *given)))


def error_text(error: object) -> str:
    """`ValueError: message` of an exception, anything else as text."""
    if not isinstance(error, BaseException):
        return encodable(error if isinstance(error, str) else to_json(error))
    try:
        message = str(error)
    except Exception:
        message = "<its message cannot be shown>"
    return encodable(f"{type(error).__name__}: {message}" if message else type(error).__name__)


def encodable(text: str) -> str:
    """`text` with half surrogate pairs, which protobuf cannot carry, written out."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def valid_scores(scores: Mapping[str, float | None]) -> dict[str, float]:
    """The scores from 0 to 1; None means not scored and is skipped."""
    valid: dict[str, float] = {}
    for name, score in scores.items():
        if score is None:
            continue
        if isinstance(score, int | float) and 0 <= score <= 1:
            valid[name] = float(score)
        else:
            log.error("score %r is %r, which is no number from 0 to 1; not recorded", name, score)
    return valid


def valid_metrics(metrics: Mapping[str, float]) -> dict[str, float]:
    valid: dict[str, float] = {}
    for name, number in metrics.items():
        if isinstance(number, int | float) and not isinstance(number, bool) and math.isfinite(number):
            valid[name] = number
        else:
            log.error("metric %r is %r, which is no finite number; not recorded", name, number)
    return valid
