"""An item of a review queue: one row that waits for a person, or what the person said."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

PENDING, IN_PROGRESS, DONE, SKIPPED = "pending", "in_progress", "done", "skipped"
STATUSES = (PENDING, IN_PROGRESS, DONE, SKIPPED)


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """The state of an item."""

    queue: str
    source: str
    """The view its row comes from."""
    object_id: str
    """Experiment or dataset of the row; empty for logs."""
    row_id: str
    trace_id: str
    created: float
    """When it was queued, Unix seconds."""
    status: str = PENDING
    assignee: str = ""
    claimed_by: str = ""
    claimed_until: float = 0.0
    """Unix seconds; a claim that has run out is as good as none."""
    reviewed_by: str = ""
    scores: Mapping[str, float] = field(default_factory=dict)
    expected: Any = None
    """The correction, where `has_expected`."""
    has_expected: bool = False
    comment: str = ""

    def status_at(self, now: float) -> str:
        """Its status; pending again once its claim has run out."""
        return PENDING if self.status == IN_PROGRESS and self.claimed_until < now else self.status

    def is_held_from(self, reviewer: str, now: float) -> bool:
        """Whether somebody else is at it."""
        return self.status_at(now) == IN_PROGRESS and self.claimed_by != reviewer

    def as_state(self) -> dict[str, Any]:
        """The item as JSON has it."""
        state = asdict(self)
        if not self.has_expected:
            # SQL tells no correction from the correction `null` by its absence.
            del state["expected"]
        return state


def read_item(state: Mapping[str, Any]) -> ReviewItem:
    """The item behind a state; what a newer collector added is left out."""
    known = {each.name for each in fields(ReviewItem)}
    return ReviewItem(**{name: value for name, value in state.items() if name in known})


def item_id(*, queue: str, source: str, object_id: str, row_id: str) -> str:
    """The id of a row's item in a queue: the same row, the same item."""
    return hashlib.sha256("\0".join((queue, source, object_id, row_id)).encode()).hexdigest()[:20]
