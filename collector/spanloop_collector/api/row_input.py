"""A row of a request, read and checked: each fault names its field."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message

from spanloop_collector.api.json_codec import parse_json
from spanloop_collector.api.row import Json
from spanloop_collector.api.times import nanoseconds, read_time
from spanloop_collector.errors import invalid

MAX_ID_CHARACTERS = 512
MAX_EXPERIMENT_ID_CHARACTERS = 100

JSON_FIELDS = ("input", "output", "expected", "scores", "metrics", "metadata", "origin")
OBJECT_FIELDS = ("scores", "metrics", "metadata", "origin")

_HEX_32 = re.compile(r"(?!0{32})[0-9a-f]{32}")
_HEX_16 = re.compile(r"(?!0{16})[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class RowInput:
    """What a caller says about one row."""

    path: str
    """Where it stands in the request, e.g. `rows[3]`."""
    id: str
    trace_id: str
    span_id: str
    parent_id: str
    project: str
    name: str
    type: str
    start_unix_nano: int | None
    """From `metrics.start` or `created`."""
    end_unix_nano: int | None
    """From `metrics.end`; None when nothing is said, 0 when it is cleared."""
    fields: Mapping[str, Json]
    """The other fields that are present; None clears one."""
    experiment_id: str = ""


def read_row(row: Any, path: str) -> RowInput:
    """The row, or InvalidRequestError naming what is wrong with it."""
    fields = read_json_fields(row, path, JSON_FIELDS)
    metrics = dict(fields.get("metrics") or {})
    _check_metrics(metrics, path)
    start, end = _seconds(metrics, "start", path), _seconds(metrics, "end", path)
    if start and end and end < start:
        raise invalid(f"{path}.metrics.end", "is before metrics.start")
    if fields.get("metrics") is not None:
        fields["metrics"] = {name: value for name, value in metrics.items() if name not in ("start", "end")}
    if row.tags:
        fields["tags"] = list(row.tags)
    if row.HasField("error"):
        fields["error"] = row.error
    if len(row.id) > MAX_ID_CHARACTERS:
        raise invalid(f"{path}.id", f"is longer than {MAX_ID_CHARACTERS} characters")
    if len(row.experiment_id) > MAX_EXPERIMENT_ID_CHARACTERS:
        raise invalid(f"{path}.experiment_id", f"is longer than {MAX_EXPERIMENT_ID_CHARACTERS} characters")
    return RowInput(
        path=path,
        id=row.id,
        trace_id=_hex_id(row.trace_id, _HEX_32, f"{path}.trace_id", digits=32),
        span_id=_hex_id(row.span_id, _HEX_16, f"{path}.span_id", digits=16),
        parent_id=_hex_id(row.parent_id, _HEX_16, f"{path}.parent_id", digits=16),
        project=row.project,
        name=row.name,
        type=row.type,
        start_unix_nano=start or (read_time(row.created, f"{path}.created") if row.created else None),
        end_unix_nano=end,
        fields=fields,
        experiment_id=row.experiment_id,
    )


def read_json_fields(message: Message, path: str, names: tuple[str, ...]) -> dict[str, Json]:
    """The JSON fields that are present, checked; None for a field that is JSON null."""
    fields: dict[str, Json] = {}
    for name in names:
        if not message.HasField(name):
            continue
        try:
            value = fields[name] = parse_json(getattr(message, name))
        except ValueError as error:
            raise invalid(f"{path}.{name}", f"is not JSON: {error}") from None
        if name in OBJECT_FIELDS and value is not None and not isinstance(value, dict):
            raise invalid(f"{path}.{name}", f"expected an object, got {value!r:.100}")
    _check_scores(fields.get("scores") or {}, path)
    return fields


def is_span_id(text: str) -> bool:
    """True when an id can be a span's own."""
    return _HEX_16.fullmatch(text) is not None


def _check_scores(scores: Mapping[str, Json], path: str) -> None:
    for name, value in scores.items():
        if value is not None and not (is_number(value) and 0 <= value <= 1):
            raise invalid(f"{path}.scores.{name}", f"expected a number from 0 to 1 or null, got {value!r:.100}")


def _check_metrics(metrics: Mapping[str, Json], path: str) -> None:
    for name, value in metrics.items():
        if value is not None and not is_number(value):
            raise invalid(f"{path}.metrics.{name}", f"expected a number or null, got {value!r:.100}")


def is_number(value: Json) -> bool:
    """True for a finite number that a double can hold."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False


def _seconds(metrics: Mapping[str, Json], name: str, path: str) -> int | None:
    """Nanoseconds of a time in metrics; None when it is not there, 0 when it is null."""
    if name not in metrics:
        return None
    value = metrics[name]
    return 0 if value is None else nanoseconds(value, f"{path}.metrics.{name}")


def _hex_id(text: str, pattern: re.Pattern[str], path: str, *, digits: int) -> str:
    text = text.lower()
    if text and pattern.fullmatch(text) is None:
        raise invalid(path, f"expected {digits} hex digits that are not all zero, got {text!r:.100}")
    return text
