"""Rows of a past window put through a rule: chunk after chunk, no faster than they are scored, resumable.

A backfill and its cursor are kept as changes. A chunk is queued under a token of its own before the cursor moves, so
that after a crash the same chunk is queued again to no effect.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, Protocol

from clickhouse_connect.driver.exceptions import Error
from spanloop.v1 import rules_pb2

from spanloop_collector.errors import InvalidRequestError, NotFoundError, SpanloopError
from spanloop_collector.query.catalog import sql_text
from spanloop_collector.schema.fragments import settings_clause
from spanloop_collector.score.matching import MATCH_COLUMNS, rows_of, select_matches
from spanloop_collector.score.rule import Rule, rule_id
from spanloop_collector.score.rulebook import RuleBook
from spanloop_collector.store import Store
from spanloop_collector.store.changes import Actor, Change, ChangeLog

CHUNK_ROWS = 10_000
LOOK_EVERY_SECONDS = 0.25
"""For room for the next chunk."""
RUNNING, QUEUED, STOPPED, BROKEN = "running", "queued", "stopped", "failed"
COLLECTOR = Actor("collector")

READ_PROGRESS = """
SELECT backfill, uniqExact(task_id) AS queued, uniqExactIf(task_id, task_id IN (
    SELECT task_id FROM {database:Identifier}.scoring_done
)) AS done
FROM {database:Identifier}.scoring_queue WHERE backfill IN {ids:Array(String)} GROUP BY backfill
"""
READ_MATCHED = """
SELECT backfill, sum(matched) FROM {database:Identifier}.scoring_counts
WHERE backfill IN {ids:Array(String)} GROUP BY backfill
"""

logger = logging.getLogger(__name__)


class Queue(Protocol):
    """What hands the tasks out."""

    @property
    def held(self) -> int: ...

    @property
    def is_caught_up(self) -> bool: ...

    def nudge(self) -> None: ...


@dataclass(frozen=True, slots=True)
class BackfillState:
    """A backfill as it is kept."""

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
    chunk: int = 0
    cursor: tuple[str, int, str, str] | None = None
    """Key of the last row that was looked at: project, created, trace_id, span_id."""


@dataclass(frozen=True, slots=True)
class Backfill:
    """A backfill at some version."""

    project: str
    id: str
    version: int
    state: BackfillState


class Backfills:
    """Starts, lists, stops and carries out backfills."""

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
            while True:
                try:
                    if self._has_room or not self.is_busy:
                        self.is_busy = await asyncio.to_thread(self.step)
                        self._queue.nudge()
                except (Error, SpanloopError) as error:
                    logger.debug("backfill: goes on later reason=%s", error)
                if self.is_busy:
                    await asyncio.sleep(LOOK_EVERY_SECONDS)
                else:
                    await bell.wait()

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
            rule.name, rule.revision, since, until, condition, request.all, request.again, request.failed
        )
        backfill = Backfill(rule.project, uuid.uuid4().hex[:12], 0, state)
        return self._message(self._write(backfill, state, "started", actor))

    def all(self, project: str, *, rule: str = "") -> list[rules_pb2.Backfill]:
        """Backfills with their progress. Blocks."""
        found = [each for each in self._read(project) if rule in ("", each.state.rule)]
        progress = self._progress([each.id for each in found])
        messages = [self._message(each, progress.get(each.id)) for each in found]
        return sorted(messages, key=lambda message: message.since, reverse=True)

    def stop(self, project: str, id: str, *, actor: Actor) -> rules_pb2.Backfill:
        """Queues no more. Blocks."""
        found = self._changes.find(project, id)
        if found is None:
            raise NotFoundError(f"there is no backfill {id!r} in project {project!r}")
        backfill = _backfill(found)
        if backfill.state.state == RUNNING:
            backfill = self._write(backfill, replace(backfill.state, state=STOPPED), "stopped", actor)
        return self._message(backfill, self._progress([id]).get(id))

    def _advance(self, backfill: Backfill) -> None:
        rule = self._book.revision(_rule_id(backfill), backfill.state.revision)
        if rule is None:
            self._write(
                backfill, replace(backfill.state, state=BROKEN, error="its rule was deleted"), "failed", COLLECTOR
            )
            return
        end = self._end_of_chunk(backfill)
        try:
            self._queue_chunk(backfill, rule, end)
        except Error as error:
            self._write(backfill, replace(backfill.state, state=BROKEN, error=str(error)[:1000]), "failed", COLLECTOR)
            return
        state = replace(backfill.state, chunk=backfill.state.chunk + 1, cursor=end or backfill.state.cursor)
        self._write(backfill, state if end else replace(state, state=QUEUED), "advanced", COLLECTOR)

    def _end_of_chunk(self, backfill: Backfill) -> tuple[str, int, str, str] | None:
        """Key of the chunk's last row; None when what is left is less than a chunk."""
        rows = self._store.query(
            f"SELECT project, toUnixTimestamp64Nano(created), trace_id, span_id FROM {self._store.database}.spans "
            f"WHERE experiment_id = '' AND {_window(backfill)} ORDER BY project, created, trace_id, span_id "
            f"LIMIT 1 OFFSET {self._chunk_rows - 1}"
        ).result_rows
        return tuple(rows[0]) if rows else None

    def _queue_chunk(self, backfill: Backfill, rule: Rule, end: tuple[str, int, str, str] | None) -> None:
        state = backfill.state
        where = _window(backfill) + (f" AND {_key()} <= {_key_of(end)}" if end else "")
        rows = rows_of(self._store.database, where, is_final=True)
        if state.condition:
            rows = f"(SELECT * FROM {rows} WHERE {state.condition})"
        if state.failed:
            rows = (
                f"(SELECT * FROM {rows} AS logs INNER JOIN (SELECT trace_id, span_id, groupUniqArray(scorer) AS failed "
                f"FROM {self._store.database}.online_scores FINAL WHERE rule_id = {sql_text(rule.rule_id)} "
                "AND status = 'failed' GROUP BY trace_id, span_id) AS failures USING (trace_id, span_id))"
            )
        run = backfill.id if state.again or state.failed else ""
        select = select_matches(
            [rule],
            rows,
            run=run,
            backfill=backfill.id,
            rate="1." if state.all else "",
            among="failed" if state.failed else "",
        )
        settings = settings_clause(
            {
                "insert_deduplication_token": f"backfill:{backfill.id}:{state.chunk}",
                "deduplicate_blocks_in_dependent_materialized_views": "1",
            }
        )
        self._store.command(f"INSERT INTO {self._store.database}.scoring_matches ({MATCH_COLUMNS}) {settings} {select}")

    def _write(self, backfill: Backfill, state: BackfillState, action: str, actor: Actor) -> Backfill:
        change = Change(backfill.project, backfill.id, backfill.version + 1, action, actor, asdict(state))
        self._changes.append(change)
        return Backfill(backfill.project, backfill.id, change.version, state)

    def _read(self, project: str) -> list[Backfill]:
        return [_backfill(latest) for latest in self._changes.latest(project)]

    def _progress(self, ids: list[str]) -> dict[str, tuple[int, int, int]]:
        """By backfill: matched, queued, done."""
        parameters = {"database": self._store.database, "ids": ids}
        matched = {id: count for id, count in self._store.query(READ_MATCHED, parameters).result_rows}
        tasks = {id: (queued, done) for id, queued, done in self._store.query(READ_PROGRESS, parameters).result_rows}
        return {id: (matched.get(id, 0), *tasks.get(id, (0, 0))) for id in ids}

    def _message(self, backfill: Backfill, progress: tuple[int, int, int] | None = None) -> rules_pb2.Backfill:
        matched, queued, done = progress or (0, 0, 0)
        state = backfill.state
        return rules_pb2.Backfill(
            id=backfill.id,
            project=backfill.project,
            rule=state.rule,
            state=state.state,
            since=_time_text(state.since_ns),
            until=_time_text(state.until_ns),
            matched=matched,
            queued=queued,
            done=done,
            error=state.error,
        )


def read_window(since: str, until: str) -> tuple[int, int]:
    """Both ends in Unix nanoseconds: from the oldest row, until now, where nothing is said."""
    first = _read_time(since, "since") if since else 0
    last = _read_time(until, "until") if until else time.time_ns()
    if first >= last:
        raise InvalidRequestError(f"until: {until or 'now'} is not after since ({since})", field="until")
    return first, last


def _read_time(text: str, field: str) -> int:
    try:
        seconds = float(text)
    except ValueError:
        try:
            given = datetime.fromisoformat(text)
        except ValueError:
            raise InvalidRequestError(
                f"{field}: expected an RFC 3339 time or Unix seconds, got {text!r:.50}", field=field
            ) from None
        seconds = (given if given.tzinfo else given.replace(tzinfo=UTC)).timestamp()
    return int(seconds * 1e9)


def _backfill(latest: Any) -> Backfill:
    fields = dict(latest.state)
    cursor = fields.pop("cursor")
    state = BackfillState(**fields, cursor=tuple(cursor) if cursor else None)
    return Backfill(latest.project, latest.id, latest.version, state)


def _rule_id(backfill: Backfill) -> str:
    return rule_id(backfill.project, backfill.state.rule)


def _window(backfill: Backfill) -> str:
    """SQL for the rows that are left; beside the key, conditions that the primary key's index understands."""
    state = backfill.state
    parts = [f"created >= {_time(state.since_ns)}", f"created < {_time(state.until_ns)}"]
    if backfill.project:
        parts.append(f"project = {sql_text(backfill.project)}")
    if state.cursor is not None:
        project, created = sql_text(state.cursor[0]), _time(state.cursor[1])
        parts += [f"project >= {project}", f"(project > {project} OR created >= {created})"]
        parts.append(f"{_key()} > {_key_of(state.cursor)}")
    return " AND ".join(parts)


def _key() -> str:
    return "(project, created, trace_id, span_id)"


def _key_of(row: tuple[str, int, str, str]) -> str:
    return f"({sql_text(row[0])}, {_time(row[1])}, {sql_text(row[2])}, {sql_text(row[3])})"


def _time(unix_nano: int) -> str:
    return f"fromUnixTimestamp64Nano({unix_nano}, 'UTC')"


def _time_text(unix_nano: int) -> str:
    return datetime.fromtimestamp(unix_nano / 1e9, UTC).isoformat()
