"""Scorers tried on rows that are given: in processes of their own, as a worker does it, and nothing is stored."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace

from spanloop.v1 import scoring_pb2

from spanloop_collector.api.json_codec import decode
from spanloop_collector.errors import InvalidRequestError, RetryableError
from spanloop_collector.keys.principal import Principal
from spanloop_collector.query.queries import Queries
from spanloop_collector.score.outcome import FAILED
from spanloop_collector.score.rule import RuleScorer
from spanloop_collector.score.work.on_demand import OnDemandScorer
from spanloop_collector.score.work.traces import spans_statement, spans_text
from spanloop_collector.score.work.work_task import WorkTask

MAX_ROWS = 100
MAX_TRIALS = 4
"""At once on a collector: each has processes of its own."""
MAX_PROCESSES = 4
MAX_SECONDS = 300.0


class ScorerTrials:
    """Runs scorers for people who want to see what they would say."""

    def __init__(self, queries: Queries, *, modules: Sequence[str]) -> None:
        self._queries = queries
        self._modules = modules
        self._running = 0

    async def run(
        self, scorer: RuleScorer, rows: Sequence[str], principal: Principal
    ) -> AsyncGenerator[scoring_pb2.TaskResult]:
        """A result for each row, as they come; `id` is the row's place among them. Closed early, it kills the scorer.

        Raises InvalidRequestError for rows that are no objects, RetryableError while too many are under way.
        """
        _check(rows)
        if self._running >= MAX_TRIALS:
            raise RetryableError(f"{MAX_TRIALS} scorers are being tried already; try again in a moment")

        async def read_trace(task: WorkTask) -> bytes:
            return await self._read_trace(task.row, principal)

        limited = replace(scorer, concurrency=min(scorer.concurrency, MAX_PROCESSES))
        asked = OnDemandScorer(limited, modules=self._modules, read_trace=read_trace)
        answers = [asyncio.create_task(_ask(asked, number, row)) for number, row in enumerate(rows)]
        self._running += 1
        try:
            for answer in asyncio.as_completed(answers):
                yield await answer
        finally:
            self._running -= 1
            for task in answers:
                task.cancel()
            # Nothing is awaited before: a caller that left may cancel whatever is.
            await asked.close()

    async def _read_trace(self, row: str, principal: Principal) -> bytes:
        """The spans of the row's traces as far as the caller may see them; none for a row of no trace."""
        if not json.loads(row).get("trace_ids"):
            return b"[]"
        result = await self._queries.run(spans_statement(row), principal=principal, default_format="JSONEachRow")
        return spans_text(json.loads(line) for line in result.data.splitlines())


def _check(rows: Sequence[str]) -> None:
    if not 0 < len(rows) <= MAX_ROWS:
        raise InvalidRequestError(f"rows: expected 1 to {MAX_ROWS}, got {len(rows)}", field="rows")
    for number, row in enumerate(rows):
        try:
            is_object = isinstance(json.loads(row), dict)
        except ValueError:
            is_object = False
        if not is_object:
            field = f"rows[{number}]"
            raise InvalidRequestError(f"{field}: expected a JSON object as text, got {row!r:.60}", field=field)


async def _ask(scorer: OnDemandScorer, number: int, row: str) -> scoring_pb2.TaskResult:
    """The scorer's answer; a row that takes too long has failed."""
    try:
        async with asyncio.timeout(MAX_SECONDS):
            result = await scorer.score(row)
    except TimeoutError:
        result = {"status": FAILED, "error": f"not scored within {MAX_SECONDS:.0f} s", "is_retryable": True}
    message = scoring_pb2.TaskResult()
    problems = decode(message, result | {"id": str(number)})
    assert not problems, problems
    return message
