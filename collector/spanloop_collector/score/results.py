"""Where scores land: on the scored row, as a score span below it, and in `online_scores`, which ends the task.

Each step replaces what an earlier try has left, and the last one says that all are done. So a crash in between costs
a second call of the scorer, never a second score.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import orjson
from clickhouse_connect.driver.exceptions import Error

from spanloop_collector.errors import SpanloopError
from spanloop_collector.schema.fragments import settings_clause
from spanloop_collector.schema.inserts import LATE_INDEXES
from spanloop_collector.score.outcome import FAILED, Outcome
from spanloop_collector.score.pace import Pace
from spanloop_collector.score.refusal import is_passing
from spanloop_collector.score.result_rows import Row, score_rows, score_span, subject_of
from spanloop_collector.score.rulebook import RuleBook
from spanloop_collector.score.scored_rows import KEY_COLUMNS, RowKey, table_of
from spanloop_collector.score.task import Task
from spanloop_collector.store import Store

MAX_BATCH = 2000
FIRST_RETRY_SECONDS = 0.5
RETRY_MAX_SECONDS = 30.0
MAX_ERROR_CHARACTERS = 1000

SETTINGS = LATE_INDEXES | {
    "optimize_on_insert": "0",
    "max_threads": "1",
    "max_insert_threads": "1",
}

# A row's own score of the same name is older than what a rule gives now, but not than what a rule gave before.
UPDATE_ROWS = """
INSERT INTO {database}.spans {settings}
WITH given AS ({given})
SELECT spans.* REPLACE (
    mapFilter((name, score) -> NOT ({is_newer} AND mapContains(given_scores, name)), spans.scores) AS scores,
    mapUpdate(spans.online_scores, given_scores) AS online_scores,
    spans.version + 1 AS version
)
FROM
(
    SELECT * FROM {database}.spans FINAL
    WHERE (project, created, trace_id, span_id) IN (SELECT project, created, trace_id, span_id FROM given)
) AS spans
INNER JOIN given
    ON spans.project = given.project AND spans.trace_id = given.trace_id AND spans.span_id = given.span_id
"""
GIVEN_NOW = "SELECT *, fromUnixTimestamp64Nano(created_ns, 'UTC') AS created FROM {scores}"
GIVEN_BEFORE = """
SELECT project, created, trace_id, span_id,
    CAST(groupArray((name, newest)), 'Map(LowCardinality(String), Float64)') AS given_scores
FROM
(
    SELECT project, created, trace_id, span_id, name, argMax(assumeNotNull(score), version) AS newest
    FROM {database}.online_scores
    WHERE {came_again}
    GROUP BY project, created, trace_id, span_id, name
)
GROUP BY project, created, trace_id, span_id
"""
CAME_AGAIN = """
status = 'scored' AND (project, created, trace_id, span_id) IN
(
    SELECT project, created, trace_id, span_id FROM {database}.spans
    WHERE {received} AND experiment_id = '' AND type != 'score' AND empty(online_scores)
)
"""

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Waiting:
    outcomes: Sequence[Outcome]
    stored: asyncio.Future[None]


class Results:
    """Stores outcomes, those that come at the same time together."""

    def __init__(self, store: Store, book: RuleBook, *, pace: Pace, now: Callable[[], int] = time.time_ns) -> None:
        self._store = store
        self._book = book
        self._pace = pace
        self._now = now
        self._waiting: list[_Waiting] = []
        self._arrived = asyncio.Event()
        # Protects the rows of `spans`: two that change one at once would each miss what the other adds.
        self._changing_rows = threading.Lock()
        self.has_scores: bool | None = None
        """Whether any row was ever scored, as far as this collector knows; None before it was looked at."""

    async def store(self, outcomes: Sequence[Outcome]) -> None:
        """Returns once they are visible."""
        if not outcomes:
            return
        waiting = _Waiting(outcomes, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._arrived.set()
        await waiting.stored

    async def run(self) -> None:
        """Stores one batch after another until cancelled."""
        pause = FIRST_RETRY_SECONDS
        while True:
            await self._arrived.wait()
            batch, started = self._next_batch(), time.monotonic()
            try:
                await asyncio.to_thread(self.write, [outcome for each in batch for outcome in each.outcomes])
            except (Error, SpanloopError) as error:
                logger.warning("score: scores are stored later reason=%s", error)
                self._waiting = batch + self._waiting
                self._arrived.set()
                await asyncio.sleep(pause)
                pause = min(pause * 2, RETRY_MAX_SECONDS)
                continue
            pause = FIRST_RETRY_SECONDS
            for each in batch:
                if not each.stored.done():
                    each.stored.set_result(None)
            await self._pace.rest(time.monotonic() - started)

    def write(self, outcomes: Sequence[Outcome]) -> None:
        """Stores outcomes; blocks. What ClickHouse refuses for good is halved until it is one, which has failed."""
        try:
            self._write(outcomes)
        except Error as error:
            if is_passing(error):
                raise
            if len(outcomes) > 1:
                middle = len(outcomes) // 2
                self.write(outcomes[:middle])
                self.write(outcomes[middle:])
            else:
                self._write_refused(outcomes[0], error)

    def restore(self, received: str) -> None:
        """Gives rows that came again, as they do when an answer got lost, the scores that they had; blocks.

        `received` is SQL that says which rows of `spans` have just come.
        """
        database = self._store.database
        came_again = CAME_AGAIN.format(database=database, received=received)
        with self._changing_rows:
            if self._store.query(f"SELECT 1 FROM {database}.online_scores WHERE {came_again} LIMIT 1").result_rows:
                self._update_rows(GIVEN_BEFORE.format(database=database, came_again=came_again), is_newer=False)

    def look_for_scores(self) -> None:
        """Finds out whether any row was ever scored; blocks."""
        sql = f"SELECT 1 FROM {self._store.database}.online_scores LIMIT 1"
        self.has_scores = bool(self._store.query(sql).result_rows)

    def _write(self, outcomes: Sequence[Outcome]) -> None:
        with self._changing_rows:
            self._write_rows(outcomes)
        self.has_scores = True

    def _write_rows(self, outcomes: Sequence[Outcome]) -> None:
        now = self._now()
        known = [outcome for outcome in outcomes if outcome.task.subject is not None]
        spans = [score_span(outcome, rule_name=self._rule_name(outcome.task), now_ns=now) for outcome in known]
        self._insert("spans", [span for span in spans if span is not None])
        scores = _scores_by_row(known)
        if scores:
            columns = f"{KEY_COLUMNS}, given_scores Map(LowCardinality(String), Float64)"
            table = table_of(columns, [[*key, given] for key, given in scores.items()])
            self._update_rows(GIVEN_NOW.format(scores=table), is_newer=True)
        # Asked again: it says when the scores can be seen.
        now = self._now()
        self._insert(
            "online_scores",
            [
                row
                for outcome in outcomes
                for row in score_rows(outcome, rule_name=self._rule_name(outcome.task), now_ns=now)
            ],
        )

    def _write_refused(self, outcome: Outcome, refusal: Error) -> None:
        """Stores a failure instead; where even that is refused the task stays undone, for the next start to find."""
        reason = f"the scores cannot be stored: {refusal}"[:MAX_ERROR_CHARACTERS]
        task = replace(outcome.task, subject=None)
        logger.error("score: task=%s rule=%s %s", task.id, self._rule_name(task), reason)
        try:
            self._write([Outcome(task, FAILED, error=reason, scorer_version=outcome.scorer_version)])
        except Error as error:
            if is_passing(error):
                raise
            logger.error("score: nor can its failure be stored task=%s reason=%s", task.id, error)

    def _update_rows(self, given: str, *, is_newer: bool) -> None:
        """Adds the scores to their rows, one version later, which is older than any change made since."""
        database, settings = self._store.database, settings_clause(SETTINGS)
        self._store.command(
            UPDATE_ROWS.format(database=database, given=given, is_newer=int(is_newer), settings=settings),
        )

    def _insert(self, table: str, rows: Sequence[Row]) -> None:
        if not rows:
            return
        with self._store.client() as client:
            client.raw_insert(
                f"{self._store.database}.{table}",
                insert_block=b"\n".join(map(orjson.dumps, rows)),
                fmt="JSONEachRow",
                settings=SETTINGS,
            )

    def _rule_name(self, task: Task) -> str:
        rule = self._book.revision(task.rule_id, task.revision)
        return rule.name if rule is not None else ""

    def _next_batch(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        size = 0
        while self._waiting and size < MAX_BATCH:
            batch.append(self._waiting.pop(0))
            size += len(batch[-1].outcomes)
        if not self._waiting:
            self._arrived.clear()
        return batch


def _scores_by_row(outcomes: Iterable[Outcome]) -> dict[RowKey, dict[str, float]]:
    """By row: its scores by name."""
    by_row: dict[RowKey, dict[str, float]] = {}
    for outcome in outcomes:
        subject = subject_of(outcome.task)
        key = (outcome.task.project, subject.created_ns, subject.trace_id, subject.span_id)
        given = {score.name: score.score for score in outcome.scores if score.score is not None}
        if given:
            by_row.setdefault(key, {}).update(given)
    return by_row
