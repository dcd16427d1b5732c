"""Scores a few rows here and now, as a worker would, without storing anything."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from spanloop_collector.client import ApiClient
from spanloop_collector.score.rule import RuleScorer
from spanloop_collector.score.work.on_demand import OnDemandScorer
from spanloop_collector.score.work.traces import read_spans
from spanloop_collector.score.work.work_task import WorkTask


async def score_rows(
    client: ApiClient, scorers: Sequence[dict[str, Any]], rows: Sequence[str], *, modules: Sequence[str]
) -> list[dict[str, Any]]:
    """The rows, each with `results`: by scorer, what a worker would report."""
    found: list[dict[str, Any]] = [json.loads(row) | {"results": {}} for row in rows]
    for scorer in scorers:
        results = await _score_all(client, scorer, rows, modules)
        for row, result in zip(found, results, strict=True):
            row["results"][scorer["name"]] = result
    return found


async def _score_all(
    client: ApiClient, scorer: dict[str, Any], rows: Sequence[str], modules: Sequence[str]
) -> list[dict[str, Any]]:
    async def read_trace(task: WorkTask) -> bytes:
        return await asyncio.to_thread(read_spans, client, task.row)

    asked = OnDemandScorer(RuleScorer(**({"options": {}} | scorer)), modules=modules, read_trace=read_trace)
    try:
        return await asyncio.gather(*map(asked.score, rows))
    finally:
        await asked.close()


def shown(result: dict[str, Any]) -> str:
    """A result in a few words."""
    if result["status"] != "scored":
        return f"failed: {result.get('error', '')}"
    return ", ".join(_shown_score(score, len(result["scores"])) for score in result["scores"])


def _shown_score(score: dict[str, Any], count: int) -> str:
    number = "skipped" if "score" not in score else f"{score['score']:.3g}"
    name = f"{score['name']} " if count > 1 else ""
    return f"{name}{number}" + (f" ({score['reason']})" if score["reason"] else "")
