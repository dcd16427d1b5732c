"""The queues of rows that wait for people. Calls block: use them in a thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from spanloop_collector.errors import ConflictError, NotFoundError
from spanloop_collector.review.item import DONE, IN_PROGRESS, PENDING, SKIPPED, ReviewItem, item_id, read_item
from spanloop_collector.store.changes import Actor, Change, ChangeDatabase, ChangeLog, Latest, differences

ITEMS_PER_INSERT = 1000
CANDIDATES = 20
TRIES = 10
"""How often a change that lost against another one is made again on what that one left."""

FIND_CANDIDATES = """
SELECT id FROM {database:Identifier}.review_queue
WHERE project = {project:String} AND ({queue:String} = '' OR queue = {queue:String})
    AND ((status = 'pending' AND assignee IN ('', {reviewer:String}))
        OR (status = 'in_progress' AND claimed_by = {reviewer:String}))
ORDER BY status, assignee = '', created, id
LIMIT {limit:UInt32}
"""

FIND_ITEMS = """
SELECT id FROM {database:Identifier}.review_queue
WHERE project = {project:String}
    AND ({queue:String} = '' OR queue = {queue:String})
    AND ({status:String} = '' OR status = {status:String})
    AND ({assignee:String} = '' OR assignee = {assignee:String})
ORDER BY created, id
LIMIT {limit:UInt32}
"""


@dataclass(frozen=True, slots=True)
class Stored:
    """An item with its name."""

    project: str
    id: str
    version: int
    item: ReviewItem


class ReviewQueue:
    """Items of all queues; every change to one is kept."""

    def __init__(self, store: ChangeDatabase, *, now: Callable[[], float] = time.time) -> None:
        self._store = store
        self._log = ChangeLog(store, "review", now=now)
        self._now = now

    def add(self, project: str, items: Sequence[ReviewItem], actor: Actor) -> tuple[int, int]:
        """Queues items; returns how many are new and how many were there."""
        by_id = {_id_of(item): item for item in items}
        known = set()
        for ids in _batches(by_id):
            known |= {latest.id for latest in self._log.latest(project, ids)}
        new = [id for id in by_id if id not in known]
        for ids in _batches(new):
            self._log.append_new([Change(project, id, 1, "queued", actor, by_id[id].as_state()) for id in ids])
        return len(new), len(known)

    def find(self, project: str, id: str) -> Stored:
        """The item; raises NotFoundError."""
        latest = self._log.find(project, id)
        if latest is None:
            raise NotFoundError(f"id: no review item {id!r} in project {project!r}; `spanloop review list` shows them")
        return _stored(latest)

    def items(self, project: str, *, queue: str, status: str, assignee: str, limit: int) -> list[Stored]:
        """The items that match, oldest first."""
        names = {"project": project, "queue": queue, "status": status, "assignee": assignee, "limit": limit}
        ids = self._ids(FIND_ITEMS, names)
        found = {latest.id: _stored(latest) for latest in self._log.latest(project, ids)} if ids else {}
        return [found[id] for id in ids if id in found]

    def claim(self, project: str, id: str, actor: Actor, *, seconds: float) -> Stored:
        """The item, taken by this reviewer; raises ConflictError when somebody else has it or it is done."""

        def take(item: ReviewItem) -> ReviewItem:
            if item.status == DONE:
                raise ConflictError(f"item {id} was reviewed by {item.reviewed_by}; requeue it to review it again")
            self._refuse_held(id, item, actor)
            return replace(item, status=IN_PROGRESS, claimed_by=actor.name, claimed_until=self._now() + seconds)

        return self.change(project, id, "claimed", actor, take)

    def claim_next(self, project: str, queue: str, actor: Actor, *, seconds: float) -> Stored | None:
        """The next item for this reviewer, what they have already first; None when nothing waits."""
        for _ in range(TRIES):
            names = {"project": project, "queue": queue, "reviewer": actor.name, "limit": CANDIDATES}
            ids = self._ids(FIND_CANDIDATES, names)
            if not ids:
                return None
            for claimed in self._claims(project, ids, actor, seconds):
                return claimed
        return None

    def assign(self, project: str, id: str, assignee: str, actor: Actor) -> Stored:
        """The item, left to one person."""
        return self.change(project, id, "assigned", actor, lambda item: replace(item, assignee=assignee))

    def skip(self, project: str, id: str, actor: Actor, comment: str) -> Stored:
        """The item, ended without a verdict."""

        def skip(item: ReviewItem) -> ReviewItem:
            if item.status == DONE:
                raise ConflictError(f"item {id} was reviewed by {item.reviewed_by} already")
            if item.status == SKIPPED:
                return item
            self._refuse_held(id, item, actor)
            return replace(_released(item), status=SKIPPED, comment=comment)

        return self.change(project, id, "skipped", actor, skip, comment=comment)

    def requeue(self, project: str, id: str, actor: Actor, comment: str) -> Stored:
        """The item, pending again; what was said about it stays in the audit log."""

        def requeue(item: ReviewItem) -> ReviewItem:
            fresh = replace(_released(item), status=PENDING, reviewed_by="", comment="", scores={})
            return replace(fresh, expected=None, has_expected=False)

        return self.change(project, id, "requeued", actor, requeue, comment=comment)

    def change(
        self,
        project: str,
        id: str,
        action: str,
        actor: Actor,
        change: Callable[[ReviewItem], ReviewItem],
        *,
        comment: str = "",
        row_changes: dict[str, Any] | None = None,
    ) -> Stored:
        """Changes an item; `change` is called again on the newer item when somebody else was faster."""
        for _ in range(TRIES):
            stored = self.find(project, id)
            item = change(stored.item)
            if item == stored.item:
                return stored
            changed = differences(stored.item.as_state(), item.as_state()) | (row_changes or {})
            version = stored.version + 1
            if self._log.append(
                Change(project, id, version, action, actor, item.as_state(), comment=comment, changed=changed)
            ):
                return Stored(project, id, version, item)
        raise ConflictError(f"item {id} is being changed by others all the time; try again")

    def _claims(self, project: str, ids: Sequence[str], actor: Actor, seconds: float) -> Iterator[Stored]:
        for id in ids:
            try:
                yield self.claim(project, id, actor, seconds=seconds)
            except ConflictError:
                # Somebody was faster; the next one will do.
                continue

    def _refuse_held(self, id: str, item: ReviewItem, actor: Actor) -> None:
        if item.is_held_from(actor.name, self._now()):
            left = max(1, round((item.claimed_until - self._now()) / 60))
            raise ConflictError(f"item {id} is being reviewed by {item.claimed_by} for at most {left} more minutes")

    def _ids(self, sql: str, parameters: dict[str, Any]) -> list[str]:
        rows = self._store.query(sql, {"database": self._store.database, **parameters}).result_rows
        return [str(row[0]) for row in rows]


def _stored(latest: Latest) -> Stored:
    return Stored(latest.project, latest.id, latest.version, read_item(latest.state))


def _id_of(item: ReviewItem) -> str:
    return item_id(queue=item.queue, source=item.source, object_id=item.object_id, row_id=item.row_id)


def _released(item: ReviewItem) -> ReviewItem:
    return replace(item, claimed_by="", claimed_until=0.0)


def _batches(ids: Iterable[str], size: int = ITEMS_PER_INSERT) -> Iterator[list[str]]:
    rest = list(ids)
    for start in range(0, len(rest), size):
        yield rest[start : start + size]
