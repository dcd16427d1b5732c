"""Follows a view as rows arrive: every row once, none left out.

Rows become visible in another order than they were received, since inserts run side by side and a row may
wait in the spool while ClickHouse is away. So each look starts below the oldest row that was still waiting at
the look before, and rows that were already shown are remembered.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from spanloop_collector.client import ApiClient

Row = dict[str, Any]

SETTLING = timedelta(seconds=10)
"""Longest way of a request from its time stamp to the spool, where it is seen to be waiting, and of a status
from looking at the spools to its answer."""
MAX_ROWS_PER_LOOK = 2_000
MAX_REMEMBERED = 200_000
PREVIEW_CHARACTERS = 2_000

COLUMNS = f"""
    received, created, project, trace_id, span_id, name, type, error, tags,
    substringUTF8(input, 1, {PREVIEW_CHARACTERS}) AS input,
    substringUTF8(output, 1, {PREVIEW_CHARACTERS}) AS output,
    scores, metrics, metadata, mapContains(metrics, 'end') AS is_finished
"""


class LiveRows:
    """Rows of `logs` in the order in which they are first seen."""

    def __init__(self, client: ApiClient, *, where: str = "", since_seconds: float = 0.0) -> None:
        """`where` is a SQL condition on columns of `logs`; `since_seconds` reaches back before the start."""
        self._client = client
        self._where = where
        self._start = self._now() - timedelta(seconds=since_seconds)
        self._from = self._start
        self._seen: OrderedDict[tuple[str, str, bool], None] = OrderedDict()

    def look(self) -> Iterator[Row]:
        """Rows that became visible since the last look, in the order they were received.

        A span is shown when it starts, if that was sent, and again when it is finished.
        """
        # Asked before the rows: what is not visible to the query below was still waiting now, or came later.
        settled = self._settled_until()
        after = f"received >= '{self._from:%Y-%m-%d %H:%M:%S.%f}'"
        while rows := self._fetch(after):
            yield from (row for row in rows if self._is_new(row))
            if len(rows) < MAX_ROWS_PER_LOOK:
                break
            after = _after(rows[-1])
        self._from = max(self._start, settled)

    def _fetch(self, condition: str) -> list[Row]:
        if self._where:
            # On a line of its own: a comment at its end must not swallow what follows.
            condition += f" AND (\n{self._where}\n)"
        return self._client.sql_rows(
            f"SELECT {COLUMNS} FROM logs WHERE {condition} "
            f"ORDER BY received, trace_id, span_id LIMIT {MAX_ROWS_PER_LOOK}"
        )

    def _is_new(self, row: Row) -> bool:
        key = (row["trace_id"], row["span_id"], bool(row["is_finished"]))
        if key in self._seen:
            return False
        self._seen[key] = None
        if len(self._seen) > MAX_REMEMBERED:
            self._seen.popitem(last=False)
        return True

    def _settled_until(self) -> datetime:
        status = self._client.get("/v1/status")
        waiting = max((float(spool.get("oldest_age_seconds", 0)) for spool in status.get("spools", [])), default=0.0)
        return _clock_of(status) - timedelta(seconds=waiting) - SETTLING

    def _now(self) -> datetime:
        return _clock_of(self._client.get("/v1/status"))


def _clock_of(status: dict[str, Any]) -> datetime:
    return datetime.fromtimestamp(int(status["now_unix_nano"]) / 1e9, UTC)


def _after(row: Row) -> str:
    """The condition for the page behind this row. All spans of a request share one time."""
    return f"(received, trace_id, span_id) > ('{row['received']}', '{row['trace_id']}', '{row['span_id']}')"
