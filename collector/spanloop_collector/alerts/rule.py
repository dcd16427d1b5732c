"""What an alert watches, and when it fires."""

from __future__ import annotations

import math
import operator
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from spanloop.v1 import alerts_pb2

from spanloop_collector.errors import InvalidRequestError

COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    "!=": operator.ne,
}
FORMATS = ("json", "slack")
MAX_NAME_CHARACTERS = 200
MAX_SECONDS = 31 * 24 * 3600.0
DEFAULT_SECONDS = {"every_seconds": 60.0, "window_seconds": 300.0, "hold_off_seconds": 3600.0}


@dataclass(frozen=True, slots=True)
class AlertRule:
    """One alert; its target is kept elsewhere."""

    project: str
    name: str
    sql: str
    description: str = ""
    comparison: str = "!="
    threshold: float = 0.0
    every_seconds: float = 60.0
    window_seconds: float = 300.0
    hold_off_seconds: float = 3600.0
    format: str = "json"
    is_paused: bool = False
    target: str = ""
    """The target as it may be shown."""
    uid: str = field(default_factory=lambda: uuid.uuid4().hex)
    """Tells an alert from an earlier one of the same name."""

    def fires(self, value: float | None) -> bool:
        """Whether this value is to be announced; nothing and NaN never are."""
        return value is not None and not math.isnan(value) and COMPARISONS[self.comparison](value, self.threshold)

    def as_state(self) -> dict[str, Any]:
        """The alert as JSON has it."""
        return asdict(self)


def read_rule(state: Mapping[str, Any]) -> AlertRule:
    """The alert behind a state; what a newer collector added is left out."""
    known = {each.name for each in fields(AlertRule)}
    return AlertRule(**{name: value for name, value in state.items() if name in known})


def check_rule(alert: alerts_pb2.Alert, project: str) -> AlertRule:
    """The alert of a request; raises InvalidRequestError naming the field that is wrong."""
    if not alert.name or len(alert.name) > MAX_NAME_CHARACTERS or "/" in alert.name:
        raise _invalid("name", f"expected up to {MAX_NAME_CHARACTERS} characters without a slash", alert.name)
    if not alert.sql.strip():
        raise _invalid("sql", "expected a SELECT whose last column is the value to watch", alert.sql)
    if alert.comparison not in ("", *COMPARISONS):
        raise _invalid("comparison", f"expected one of {' '.join(COMPARISONS)}", alert.comparison)
    if not math.isfinite(alert.threshold):
        raise _invalid("threshold", "expected a finite number", alert.threshold)
    if alert.format not in ("", *FORMATS):
        raise _invalid("format", f"expected one of {', '.join(FORMATS)}", alert.format)
    return AlertRule(
        project=project,
        name=alert.name,
        sql=alert.sql,
        description=alert.description,
        comparison=alert.comparison or "!=",
        threshold=alert.threshold if alert.comparison else 0.0,
        format=alert.format or FORMATS[0],
        is_paused=alert.is_paused,
        every_seconds=_seconds(alert, "every_seconds"),
        window_seconds=_seconds(alert, "window_seconds"),
        hold_off_seconds=_seconds(alert, "hold_off_seconds"),
    )


def _seconds(alert: alerts_pb2.Alert, name: str) -> float:
    value: float = getattr(alert, name) or DEFAULT_SECONDS[name]
    if not 1 <= value <= MAX_SECONDS:
        raise _invalid(name, f"expected seconds from 1 to {MAX_SECONDS:g}", value)
    return value


def _invalid(field_name: str, expected: str, seen: object) -> InvalidRequestError:
    name = f"alert.{field_name}"
    return InvalidRequestError(f"{name}: {expected}, got {seen!r:.100}", field=name)
