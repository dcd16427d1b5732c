"""Times as callers give them, in Unix nanoseconds."""

from __future__ import annotations

from datetime import UTC, datetime

from spanloop_collector.errors import invalid

# As far as ClickHouse's DateTime64(9) goes.
MAX_UNIX_SECONDS = 9_223_372_036


def read_time(text: str, field: str) -> int:
    """The time that a text names: RFC 3339, UTC where it names no zone, or Unix seconds."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = _seconds_of_date(text, field)
    return nanoseconds(seconds, field)


def nanoseconds(unix_seconds: float, field: str) -> int:
    """The time so many seconds after 1970."""
    if not 0 < unix_seconds < MAX_UNIX_SECONDS:
        raise invalid(field, f"expected Unix seconds between 0 and {MAX_UNIX_SECONDS}, got {unix_seconds!r:.100}")
    # Whole seconds and the rest apart: their product would lose digits that a float has.
    whole = int(unix_seconds)
    return whole * 10**9 + round((unix_seconds - whole) * 1e9)


def _seconds_of_date(text: str, field: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise invalid(field, f"expected an RFC 3339 time or Unix seconds, got {text!r:.100}") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
