"""Starts, lists, stops and carries out backfills. Each is kept, with its cursor, as a list of changes."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Protocol

from clickhouse_connect.driver.exceptions import Error
from spanloop.v1 import rules_pb2

from spanloop_collector.errors import NotFoundError
from spanloop_collector.score.backfill.chunk import end_of_chunk, queue_chunk
from spanloop_collector.score.backfill.progress import Progress, progress_of, settle
from spanloop_collector.score.backfill.state import (
    BROKEN,
    QUEUED,
    RUNNING,
    STOPPED,
    Backfill,
    BackfillState,
    read_backfill,
)
from spanloop_collector.score.backfill.window import time_text
from spanloop_collector.score.refusal import is_passing
from spanloop_collector.score.rule import Rule
from spanloop_collector.score.rulebook import RuleBook
from spanloop_collector.store import Store
from spanloop_collector.store.changes import Actor, Change, ChangeLog
from spanloop_collector.store.rounds import keep_doing

CHUNK_ROWS = 10_000
LOOK_EVERY_SECONDS = 0.25
"""For room for the next chunk."""
COLLECTOR = Actor("collector")


class Queue(Protocol):
    """What hands the tasks out."""

    @property
    def held(self) -> int: ...

    @property
    def is_caught_up(self) -> bool: ...

    def nudge(self) -> None: ...


class Backfills:
    """Every backfill of the database, as far as this collector carries it out."""

    def __init__(
        self,
        store: Store,
        book: RuleBook,
        queue: Queue,
        *,
        is_ours: Callable[[str], bool] = lambda id: True,
        chunk_rows: int = CHUNK_ROWS,
    ) -> None:
        """`is_ours` says whether this collector carries out the backfill of that id."""
        self._store = store
        self._book = book
        self._queue = queue
        self._is_ours = is_ours
        self._chunk_rows = chunk_rows
        self._changes = ChangeLog(store, "scoring_backfill")
        self.is_busy = False
        """Whether a backfill was under way at the last look."""

    async def run(self) -> None:
        """Carries out backfills until cancelled."""
        with self._store.bells.listen("changes") as bell:
            await keep_doing("backfills", self._round, bell, rest_seconds=LOOK_EVERY_SECONDS)

    async def _round(self) -> float | None:
        if self._has_room or not self.is_busy:
            self.is_busy = await asyncio.to_thread(self.step)
            self._queue.nudge()
        return LOOK_EVERY_SECONDS if self.is_busy else None

    def step(self) -> bool:
        """Queues the next chunk of each backfill, as far as there is room; whether any is under way. Blocks."""
        running = [found for found in self._read("*") if found.state.state == RUNNING and self._is_ours(found.id)]
        for backfill in running:
            if self._has_room:
                self._advance(backfill)
        return bool(running)

    @property
    def _has_room(self) -> bool:
        return self._queue.held < self._chunk_rows and self._queue.is_caught_up

    def start(
        self,
        rule: Rule,
        request: rules_pb2.StartBackfillRequest,
        *,
        condition: str,
        since: int,
        until: int,
        actor: Actor,
    ) -> rules_pb2.Backfill:
        """A new backfill of the rule as it is now. Blocks."""
        state = BackfillState(
            rule.name,
            rule.revision,
            since,
            until,
            condition,
            request.all,
            request.again,
            request.failed,
            started_ns=time.time_ns(),
        )
        backfill = Backfill(rule.project, uuid.uuid4().hex[:12], 0, state)
        return _message(self._write(backfill, state, "started", actor), Progress())

    def all(self, project: str, *, rule: str = "") -> list[rules_pb2.Backfill]:
        """Backfills with their progress, newest first. Blocks."""
        found = [each for each in self._read(project) if rule in ("", each.state.rule)]
        progress = progress_of(self._store, found)
        newest_first = sorted(found, key=lambda each: each.state.started_ns, reverse=True)
        return [_message(each, progress[each.id]) for each in newest_first]

    def stop(self, project: str, id: str, *, actor: Actor) -> rules_pb2.Backfill:
        """Queues no more. Blocks."""
        found = self._changes.find(project, id)
        if found is None:
            raise NotFoundError(f"there is no backfill {id!r} in project {project!r}")
        backfill = read_backfill(found)
        if backfill.state.state == RUNNING:
            backfill = self._write(backfill, replace(backfill.state, state=STOPPED), "stopped", actor)
        return _message(backfill, progress_of(self._store, [backfill])[id])

    def _advance(self, backfill: Backfill) -> None:
        rule = self._book.revision(backfill.rule_id, backfill.state.revision)
        if rule is None:
            self._break(backfill, "its rule was deleted")
            return
        settled = settle(self._store, backfill)
        end = end_of_chunk(self._store, backfill, self._chunk_rows)
        try:
            queue_chunk(self._store, backfill, rule, end)
        except Error as error:
            if is_passing(error):
                raise
            self._break(backfill, str(error)[:1000])
            return
        state = replace(backfill.state, chunk=backfill.state.chunk + 1, settled=settled)
        state = replace(state, cursor=end) if end else replace(state, state=QUEUED)
        self._write(backfill, state, "advanced", COLLECTOR)

    def _break(self, backfill: Backfill, error: str) -> None:
        self._write(backfill, replace(backfill.state, state=BROKEN, error=error), "failed", COLLECTOR)

    def _write(self, backfill: Backfill, state: BackfillState, action: str, actor: Actor) -> Backfill:
        change = Change(backfill.project, backfill.id, backfill.version + 1, action, actor, asdict(state))
        self._changes.append(change)
        return Backfill(backfill.project, backfill.id, change.version, state)

    def _read(self, project: str) -> list[Backfill]:
        return [read_backfill(latest) for latest in self._changes.latest(project)]


def _message(backfill: Backfill, progress: Progress) -> rules_pb2.Backfill:
    state = backfill.state
    return rules_pb2.Backfill(
        id=backfill.id,
        project=backfill.project,
        rule=state.rule,
        state=state.state,
        since=time_text(state.since_ns),
        until=time_text(state.until_ns),
        matched=progress.matched,
        queued=progress.queued,
        done=progress.done,
        error=state.error,
    )
