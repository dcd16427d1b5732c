"""`init_logger`: rows written directly, without spans, whole or piece by piece."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from spanloop import _runtime
from spanloop._failsafe import guarded
from spanloop._feedback import log_feedback
from spanloop._fields import UNSET
from spanloop._propagation import Parent, parent_span
from spanloop._rows.fields import ROWS, numbers, put, row_fields
from spanloop._span import Span, start_span


class Logger:
    """Writes rows of one project. Nothing it does raises or waits; rows are sent in the background."""

    def __init__(self, project: str) -> None:
        self.project = project
        """Empty leaves it to the API key, or to the collector's default."""

    def log(
        self,
        *,
        id: str | None = None,
        input: object = UNSET,
        output: object = UNSET,
        expected: object = UNSET,
        error: object = None,
        scores: Mapping[str, float | None] | None = None,
        metadata: Mapping[str, Any] | None = None,
        metrics: Mapping[str, float | None] | None = None,
        tags: Iterable[str] | None = None,
        name: str | None = None,
        type: str | None = None,
        created: float | datetime | None = None,
        parent: Parent = None,
    ) -> str:
        """Writes a row, or more of one: what is logged under the same `id` becomes one row. Returns the id.

        Scores, metrics and metadata are merged, any other field is replaced; a score or metric of None is removed.
        A row is running, and not scored online, until it has `metrics={"end": time.time()}`, or `end(id)` is called.
        It begins with its first `log`, unless `created` or `metrics["start"]` says otherwise. `parent` is a span, a
        `traceparent` or HTTP headers.

            row = logger.log(input=question, metadata={"user": "ada"})
            logger.log(id=row, output=answer, metrics={"end": time.time()})
        """
        row_id = id or secrets.token_hex(8)
        fields: dict[str, object] = {"input": input, "output": output, "expected": expected}
        if metadata:
            fields["metadata"] = dict(metadata)
        self._put(row_id, fields, name, type, error, tags, scores, metrics, created, parent)
        return row_id

    @guarded
    def _put(
        self,
        id: str,
        fields: dict[str, object],
        name: str | None,
        type: str | None,
        error: object,
        tags: Iterable[str] | None,
        scores: Mapping[str, float | None] | None,
        metrics: Mapping[str, float | None] | None,
        created: float | datetime | None,
        parent: Parent,
    ) -> None:
        above = parent._otel if isinstance(parent, Span) else parent_span(parent)
        plain = row_fields(
            id=id, name=name, type=type, error=error, tags=tags, metrics=metrics, created=created, parent=above
        )
        put(ROWS, self.project, plain, {**fields, **numbers(scores, metrics)})

    def end(self, id: str) -> None:
        """The row is fully logged, now.

        logger.end(row)
        """
        self.log(id=id, metrics={"end": time.time()})

    def log_feedback(
        self,
        id: str | Span,
        *,
        scores: Mapping[str, float | None] | None = None,
        expected: object = UNSET,
        tags: Iterable[str] | None = None,
        comment: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        source: str = "app",
    ) -> None:
        """`spanloop.log_feedback` for a row of this logger's project."""
        log_feedback(
            id,
            scores=scores,
            expected=expected,
            tags=tags,
            comment=comment,
            metadata=metadata,
            source=source,
            project=self.project,
        )

    def start_span(
        self,
        name: str,
        *,
        type: str | None = None,
        input: object = UNSET,
        metadata: Mapping[str, Any] | None = None,
        tags: Iterable[str] | None = None,
        parent: Parent = None,
    ) -> Span:
        """`spanloop.start_span`, for code that holds a logger; spans belong to the project given to `init`."""
        return start_span(name, type=type, input=input, metadata=metadata, tags=tags, parent=parent)

    def flush(self, timeout_seconds: float = _runtime.FLUSH_SECONDS) -> bool:
        """Waits until everything logged so far has left; True when it has.

        logger.flush()
        """
        return _runtime.flush(timeout_seconds)


def init_logger(
    project: str | None = None,
    *,
    api_key: str | None = None,
    endpoint: str | None = None,
    api_url: str | None = None,
    environment: str | None = None,
) -> Logger:
    """A logger of rows without spans. Starts spanloop as `init` does, unless that has been done.

    `api_url` is where the collector's API answers: port 7411 where the endpoint is, unless said otherwise.

        logger = spanloop.init_logger("support-bot")
        logger.log(input="why?", output="because", metrics={"end": time.time()})
    """
    if _runtime.active() is None:
        _runtime.init(project, api_key=api_key, endpoint=endpoint, api_url=api_url, environment=environment)
    runtime = _runtime.active()
    return Logger(project or (runtime.settings.project if runtime is not None else ""))
