"""A task: one scorer is to look at one row, trace or group."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Subject:
    """The row that gets the scores: the matched one, or the root of the trace or group."""

    trace_id: str
    span_id: str
    id: str
    name: str
    created_ns: int
    ended_ns: int


@dataclass(frozen=True, slots=True)
class Task:
    """A line of `scoring_queue`."""

    id: str
    project: str
    rule_id: str
    revision: int
    scorer: str
    trace_id: str
    """Empty for a group."""
    span_id: str
    """Empty for a trace or a group."""
    group_key: str
    created_ns: int
    ended_ns: int
    probability: float
    run: str
    backfill: str
    slot: int = 0
    attempt: int = 1
    cost: float = 0.0
    """Of earlier attempts, in US dollars."""
    subject: Subject | None = field(default=None)
    """Known once the task was handed out."""

    @property
    def queue_key(self) -> tuple[str, int, str]:
        """Tasks of one key wait in one line, so that none holds up those of another."""
        return self.rule_id, self.revision, self.scorer

    @property
    def is_span(self) -> bool:
        """Whether it is for one row, and needs no wait for more."""
        return bool(self.span_id)

    def ticket(self) -> str:
        """The task as text, for whoever takes its result."""
        # Field by field: a recursive copy costs more than everything else about a claim.
        fields = {name: getattr(self, name) for name in _FIELDS}
        subject = {name: getattr(self.subject, name) for name in _SUBJECT_FIELDS} if self.subject is not None else None
        return orjson.dumps(fields | {"subject": subject}).decode()

    @classmethod
    def from_ticket(cls, ticket: str) -> Task:
        """The task that the text was made of; raises ValueError for any other text."""
        try:
            fields: dict[str, Any] = orjson.loads(ticket)
            subject = Subject(**fields.pop("subject"))
            return cls(**fields, subject=subject)
        except (TypeError, KeyError, ValueError) as error:
            raise ValueError(f"no ticket of a task: {error}") from None

    def next_attempt(self, *, cost: float = 0.0) -> Task:
        """The same to be tried once more, after an attempt that cost so much."""
        return replace(self, attempt=self.attempt + 1, cost=self.cost + cost)


_FIELDS = tuple(name for name in Task.__slots__ if name != "subject")
_SUBJECT_FIELDS = tuple(Subject.__slots__)
