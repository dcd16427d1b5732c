"""Scores a few rows without storing anything: on the collector, or here by modules that it does not have yet."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from spanloop.scoring.child import module_name

from spanloop_collector.cli.rule_options import PATH
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
    names_here = set(map(module_name, modules))
    for scorer in scorers:
        is_here = RuleScorer(scorer["use"], scorer["name"]).module in names_here
        results = await _score_here(client, scorer, rows, modules) if is_here else _score_there(client, scorer, rows)
        for row, result in zip(found, results, strict=True):
            row["results"][scorer["name"]] = result
    return found


def _score_there(client: ApiClient, scorer: dict[str, Any], rows: Sequence[str]) -> list[dict[str, Any]]:
    """What the collector's scorer says, which asks models with the collector's keys."""
    results = client.post_lines(f"{PATH}/try-scorer", {"scorer": scorer, "rows": list(rows)})
    return sorted(results, key=lambda result: int(result["id"]))


async def _score_here(
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
