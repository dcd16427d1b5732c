"""Asks an alert's statement for the value of each group."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from spanloop_collector.alerts.rule import AlertRule
from spanloop_collector.errors import InvalidRequestError, QueryError
from spanloop_collector.keys.principal import Principal, Scope
from spanloop_collector.query.queries import Queries

MAX_GROUPS = 1000
MAX_STATEMENT_SECONDS = 10
FORMAT = "JSONCompactEachRowWithNamesAndTypes"
NUMBER_TYPES = ("Int", "UInt", "Float", "Decimal", "BFloat", "Bool", "Nothing")


@dataclass(frozen=True, slots=True)
class Group:
    """One row of an alert's answer."""

    labels: Mapping[str, Any]
    """By column: what the value is about; empty for a statement with one column."""
    value: float | None
    """None where there is nothing to compare: NULL, or NaN."""

    @property
    def key(self) -> str:
        """The same for the same labels."""
        return json.dumps(self.labels, sort_keys=True, ensure_ascii=False)


async def ask(statements: Queries, rule: AlertRule, *, now: float) -> list[Group]:
    """The groups as they are now; raises InvalidRequestError with ClickHouse's words for what does not run.

    The statement sees what a key of the alert's project would see.
    """
    parameters = {"window_start": _time(now - rule.window_seconds), "window_end": _time(now)}
    try:
        result = await statements.run(
            rule.sql,
            principal=Principal(key_id=f"alert {rule.name}", project=rule.project, scopes=frozenset({Scope.READ})),
            parameters=parameters,
            settings={
                "session_timezone": "UTC",
                "max_execution_time": str(MAX_STATEMENT_SECONDS),
                "max_result_rows": str(MAX_GROUPS),
                "output_format_json_quote_64bit_integers": "0",
                "output_format_json_quote_denormals": "1",
            },
            default_format=FORMAT,
        )
    except QueryError as error:
        raise InvalidRequestError(f"alert.sql: {error}", field="alert.sql") from error
    if result.format != FORMAT:
        raise InvalidRequestError("alert.sql: leave the FORMAT clause out", field="alert.sql")
    names, types, *rows = [json.loads(line) for line in result.data.splitlines()]
    _check_value_column(names[-1], types[-1])
    return [Group(dict(zip(names[:-1], row[:-1], strict=True)), _value(row[-1])) for row in rows]


def _check_value_column(name: str, kind: str) -> None:
    inner = kind
    for wrapper in ("LowCardinality(", "Nullable("):
        inner = inner.removeprefix(wrapper)
    if not inner.startswith(NUMBER_TYPES):
        raise InvalidRequestError(
            f"alert.sql: the last column is the value to watch, and {name} is a {kind}; make it a number or a boolean",
            field="alert.sql",
        )


def _value(shown: Any) -> float | None:
    """The number behind its JSON; infinite ones as the largest there are."""
    value = None if shown is None else float(shown)
    if value is None or math.isnan(value):
        return None
    # JSON, in which it is remembered and sent, has no infinity.
    return max(-sys.float_info.max, min(sys.float_info.max, value))


def _time(unix_seconds: float) -> str:
    return datetime.fromtimestamp(unix_seconds, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
