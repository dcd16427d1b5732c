"""The time that a backfill is about, as callers give it and are shown it."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from spanloop_collector.api.times import read_time
from spanloop_collector.errors import invalid


def read_window(since: str, until: str) -> tuple[int, int]:
    """Both ends in Unix nanoseconds: from the oldest row, until now, where nothing is said."""
    first = read_time(since, "since") if since else 0
    last = read_time(until, "until") if until else time.time_ns()
    if first >= last:
        raise invalid("until", f"{until or 'now'} is not after since ({since})")
    return first, last


def time_text(unix_nano: int) -> str:
    """A time as it is shown."""
    return datetime.fromtimestamp(unix_nano / 1e9, UTC).isoformat()
