"""What became of a task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from spanloop_collector.score.task import Task

SCORED, SKIPPED, FAILED, RETURNED = "scored", "skipped", "failed", "returned"
REPLACED = "replaced"
"""Of a line in `online_scores`: an earlier failure that counts no more."""


@dataclass(frozen=True, slots=True)
class OneScore:
    """One of the scores that a call gave; None where there was nothing to score."""

    name: str
    score: float | None
    reason: str = ""
    metadata: str = ""
    """JSON text of an object."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A worker's answer."""

    task: Task
    status: str
    scores: Sequence[OneScore] = ()
    error: str = ""
    is_retryable: bool = False
    retry_after_seconds: float = 0.0
    duration_seconds: float = 0.0
    cost: float = 0.0
    scorer_version: str = ""
    model: str = ""
    tokens: tuple[int, int] = field(default=(0, 0))
    """Of prompts and of completions."""


def skipped(task: Task, reason: str) -> Outcome:
    """An outcome without a score, by no fault of the scorer."""
    return Outcome(task, SKIPPED, (OneScore(task.scorer, None, reason),))
