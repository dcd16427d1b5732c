"""A backfill as it is kept: what it is about, and where it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from spanloop_collector.score import rule as rules
from spanloop_collector.store.changes import Latest

RUNNING, QUEUED, STOPPED, BROKEN = "running", "queued", "stopped", "failed"

RowPlace: TypeAlias = tuple[str, int, str, str]
"""Key of a row: project, created in Unix nanoseconds, trace_id, span_id."""


@dataclass(frozen=True, slots=True)
class Settled:
    """The tasks up to some moment, all of them done: they are counted once."""

    until_us: int = 0
    """When the last of them was queued, in Unix microseconds."""
    tasks: int = 0


@dataclass(frozen=True, slots=True)
class BackfillState:
    """Everything about a backfill that changes or is asked again."""

    rule: str
    revision: int
    since_ns: int
    until_ns: int
    condition: str
    all: bool
    again: bool
    failed: bool
    state: str = RUNNING
    error: str = ""
    started_ns: int = 0
    chunk: int = 0
    cursor: RowPlace | None = None
    """The last row that was looked at."""
    settled: Settled = Settled()


@dataclass(frozen=True, slots=True)
class Backfill:
    """A backfill at some version."""

    project: str
    id: str
    version: int
    state: BackfillState

    @property
    def rule_id(self) -> str:
        """The rule that its rows are put through."""
        return rules.rule_id(self.project, self.state.rule)


def read_backfill(latest: Latest) -> Backfill:
    """The backfill behind a change."""
    fields = dict(latest.state)
    cursor, settled = fields.pop("cursor"), Settled(**fields.pop("settled", {}))
    state = BackfillState(**fields, cursor=tuple(cursor) if cursor else None, settled=settled)
    return Backfill(latest.project, latest.id, latest.version, state)
