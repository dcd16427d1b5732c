"""Sends rows and feedback to the collector's API, and reads what became of each."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from spanloop._rows.queue import FEEDBACK, ROWS, Json, Queued
from spanloop._settings import Settings
from spanloop._transport import Kind, Outcome
from spanloop._transport.api import JsonApi

PATHS = {ROWS: "/v1/rows/merge", FEEDBACK: "/v1/feedback"}
LISTS = {ROWS: "rows", FEEDBACK: "items"}
NO_SUCH_ROW = "there is no row"
FEEDBACK_PATIENCE_SECONDS = 60.0
"""How long feedback waits for its row, which may still be running or on its way from another process."""
LONGEST_FLUSH_SECONDS = 5.0


class RowSender:
    """The way of one process's rows to the collector."""

    def __init__(
        self,
        settings: Settings,
        *,
        flush_spans: Callable[[float], bool],
        again: Callable[[Queued, int], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`flush_spans` sends what is to be rated; `again` takes feedback that came before its row."""
        self._connection = JsonApi(settings)
        self._flush_spans = flush_spans
        self._again = again
        self._clock = clock

    def send(self, signal: str, body: bytes, timeout_seconds: float) -> Outcome:
        """Sends what the queue's encoder made. Sending it twice changes nothing."""
        rejected, reason = 0, ""
        for kind, projects in json.loads(body).items():
            for project, items in projects.items():
                if kind == FEEDBACK:
                    self._flush_spans(min(timeout_seconds, LONGEST_FLUSH_SECONDS))
                outcome = self._post(kind, project, items, timeout_seconds)
                if outcome.kind is not Kind.DELIVERED:
                    return outcome
                rejected, reason = rejected + outcome.rejected, reason or outcome.reason
        return Outcome(Kind.DELIVERED, reason, rejected=rejected)

    def _post(self, kind: str, project: str, items: list[Json], timeout_seconds: float) -> Outcome:
        sent = [{name: value for name, value in item.items() if name != "since"} for item in items]
        body = json.dumps({"project": project, LISTS[kind]: sent}, ensure_ascii=False).encode()
        outcome, answer = self._connection.post(PATHS[kind], body, timeout_seconds)
        if outcome.kind is Kind.DELIVERED:
            return self._of_each(project, items, answer)
        if outcome.kind is Kind.REFUSED and len(items) == 1 and self._comes_again(project, items[0], outcome.reason):
            return Outcome(Kind.DELIVERED)
        return outcome

    def _of_each(self, project: str, items: list[Json], answer: Any) -> Outcome:
        """Items succeed or fail one by one."""
        results = answer.get("results") if isinstance(answer, dict) else None
        errors = [
            (item, result["error"]) for item, result in zip(items, results or (), strict=False) if result.get("error")
        ]
        lost = [error for item, error in errors if not self._comes_again(project, item, error)]
        return Outcome(Kind.DELIVERED, lost[0] if lost else "", rejected=len(lost))

    def _comes_again(self, project: str, item: Json, error: str) -> bool:
        """Feedback whose row is not there yet is tried again, for a while."""
        since = item.get("since")
        if since is None or NO_SUCH_ROW not in error or self._clock() - since > FEEDBACK_PATIENCE_SECONDS:
            return False
        plain = {name: value for name, value in item.items() if name != "since"}
        self._again(Queued(FEEDBACK, project, plain, {}, since), 500)
        return True

    def forget(self) -> None:
        self._connection.forget()

    def close(self) -> None:
        self._connection.close()
