"""The time that a backfill is about, as callers give it and are shown it."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from spanloop_collector.errors import InvalidRequestError


def read_window(since: str, until: str) -> tuple[int, int]:
    """Both ends in Unix nanoseconds: from the oldest row, until now, where nothing is said."""
    first = _read_time(since, "since") if since else 0
    last = _read_time(until, "until") if until else time.time_ns()
    if first >= last:
        raise InvalidRequestError(f"until: {until or 'now'} is not after since ({since})", field="until")
    return first, last


def time_text(unix_nano: int) -> str:
    """A time as it is shown."""
    return datetime.fromtimestamp(unix_nano / 1e9, UTC).isoformat()


def _read_time(text: str, field: str) -> int:
    try:
        seconds = float(text)
    except ValueError:
        try:
            given = datetime.fromisoformat(text)
        except ValueError:
            raise InvalidRequestError(
                f"{field}: expected an RFC 3339 time or Unix seconds, got {text!r:.50}", field=field
            ) from None
        seconds = (given if given.tzinfo else given.replace(tzinfo=UTC)).timestamp()
    return int(seconds * 1e9)
