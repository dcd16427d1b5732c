"""A scorer for rows that are given and not stored, in processes of its own as a worker has them."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from typing import Any

from spanloop_collector.score.rule import RuleScorer
from spanloop_collector.score.work.pool import ReadTrace, ScorerPool
from spanloop_collector.score.work.work_task import WorkTask


async def no_trace(task: WorkTask) -> bytes:
    """The spans of a row that belongs to no trace."""
    return b"[]"


class OnDemandScorer:
    """Asked row by row. Its processes end when nobody has asked for a while, at the latest with `close`."""

    def __init__(self, scorer: RuleScorer, *, modules: Sequence[str], read_trace: ReadTrace = no_trace) -> None:
        self._pool = ScorerPool(scorer, modules=modules, report=self._take, read_trace=read_trace)
        self._asked: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._numbers = map(str, itertools.count())

    @property
    def is_unused(self) -> bool:
        """Whether nothing waits and no process is left."""
        return self._pool.is_empty

    async def score(self, row: str) -> dict[str, Any]:
        """What it says about a row, which is JSON text: a TaskResult."""
        task = WorkTask(next(self._numbers), "", "", row)
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._asked[task.id] = answer
        try:
            self._pool.submit(task)
            return await answer
        finally:
            del self._asked[task.id]

    async def close(self) -> None:
        """Kills every process; what was asked is not answered any more."""
        await self._pool.close()

    def _take(self, result: dict[str, Any]) -> None:
        answer = self._asked.get(result["id"])
        if answer is not None and not answer.done():
            answer.set_result(result)
