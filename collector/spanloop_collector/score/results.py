"""Where scores land: on the scored row, as a score span below it, and in `online_scores`, which ends the task.

Each step replaces what an earlier try has left, and the last one says that all are done. So a crash in between costs
a second call of the scorer, never a second score.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from clickhouse_connect.driver.exceptions import Error

from spanloop_collector.errors import SpanloopError
from spanloop_collector.query.catalog import sql_text
from spanloop_collector.score.outcome import Outcome
from spanloop_collector.score.result_rows import Row, score_rows, score_span, subject_of
from spanloop_collector.score.rulebook import RuleBook
from spanloop_collector.score.scored_rows import LONG_QUERY, is_one_of
from spanloop_collector.score.task import Task
from spanloop_collector.store import Store

INSERT_SETTINGS = {"materialize_skip_indexes_on_insert": "0", "optimize_on_insert": "0"}
MAX_BATCH = 2000
RETRY_SECONDS = 0.5
UPDATE_ROWS = """
INSERT INTO {database}.spans
SELECT * EXCEPT (given) REPLACE (
    mapFilter((name, score) -> NOT mapContains(given, name), scores) AS scores,
    mapUpdate(online_scores, given) AS online_scores,
    version + 1 AS version
)
FROM
(
    SELECT *, CAST(JSONExtract(
        transform(concat(project, '/', trace_id, '/', span_id), [{names}], [{texts}], ''),
        'Map(String, Float64)'
    ), 'Map(LowCardinality(String), Float64)') AS given
    FROM {database}.spans FINAL
    WHERE {rows}
)
"""

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Waiting:
    outcomes: Sequence[Outcome]
    stored: asyncio.Future[None]


class Results:
    """Stores outcomes, those that come at the same time together."""

    def __init__(self, store: Store, book: RuleBook, *, now: Callable[[], int] = time.time_ns) -> None:
        self._store = store
        self._book = book
        self._now = now
        self._waiting: list[_Waiting] = []
        self._arrived = asyncio.Event()

    async def store(self, outcomes: Sequence[Outcome]) -> None:
        """Returns once they are visible."""
        if not outcomes:
            return
        waiting = _Waiting(outcomes, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._arrived.set()
        await waiting.stored

    async def run(self) -> None:
        """Stores one batch after another until cancelled: two at once would each miss what the other adds to a row."""
        while True:
            await self._arrived.wait()
            batch = self._next_batch()
            try:
                await asyncio.to_thread(self.write, [outcome for each in batch for outcome in each.outcomes])
            except (Error, SpanloopError) as error:
                logger.warning("score: scores are stored later reason=%s", error)
                self._waiting = batch + self._waiting
                self._arrived.set()
                await asyncio.sleep(RETRY_SECONDS)
                continue
            for each in batch:
                if not each.stored.done():
                    each.stored.set_result(None)

    def write(self, outcomes: Sequence[Outcome]) -> None:
        """Stores outcomes; blocks."""
        now = self._now()
        known = [outcome for outcome in outcomes if outcome.task.subject is not None]
        spans = [score_span(outcome, rule_name=self._rule_name(outcome.task), now_ns=now) for outcome in known]
        self._insert("spans", [span for span in spans if span is not None])
        self._update_rows(known)
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

    def _insert(self, table: str, rows: Sequence[Row]) -> None:
        if not rows:
            return
        with self._store.client() as client:
            client.raw_insert(
                f"{self._store.database}.{table}",
                insert_block="\n".join(json.dumps(row) for row in rows).encode(),
                fmt="JSONEachRow",
                settings=INSERT_SETTINGS,
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

    def _update_rows(self, outcomes: Iterable[Outcome]) -> None:
        """Adds the scores to their rows, one version later, which is older than any change made since."""
        by_row: dict[tuple[str, int, str, str], dict[str, float]] = {}
        for outcome in outcomes:
            subject = subject_of(outcome.task)
            key = (outcome.task.project, subject.created_ns, subject.trace_id, subject.span_id)
            given = {score.name: score.score for score in outcome.scores if score.score is not None}
            if given:
                by_row.setdefault(key, {}).update(given)
        if not by_row:
            return
        names = ", ".join(sql_text(f"{key[0]}/{key[2]}/{key[3]}") for key in by_row)
        texts = ", ".join(sql_text(json.dumps(scores)) for scores in by_row.values())
        database = self._store.database
        with self._store.client() as client:
            client.command(
                UPDATE_ROWS.format(database=database, names=names, texts=texts, rows=is_one_of(set(by_row))),
                settings=LONG_QUERY,
            )
