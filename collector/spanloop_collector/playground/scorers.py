"""Scores an answer with scorers by name, each in a process of its own: the machinery of online scoring."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from spanloop.v1 import playground_pb2 as pb

from spanloop_collector.score.rule import RuleScorer
from spanloop_collector.score.work.on_demand import OnDemandScorer


class Scorers:
    """Runs scorers; their processes end by themselves when nobody has asked for a while."""

    def __init__(self, modules: Sequence[str]) -> None:
        self._modules = modules
        self._scorers: dict[str, OnDemandScorer] = {}

    async def score(self, scorer: RuleScorer, row: Mapping[str, Any]) -> list[pb.RunScore]:
        """What the scorer says about a row of input, output, expected and metadata."""
        return _scores(scorer, await self._find(scorer).score(json.dumps(row)))

    async def close(self) -> None:
        """Ends every process."""
        for scorer in self._scorers.values():
            await scorer.close()

    def _find(self, scorer: RuleScorer) -> OnDemandScorer:
        self._scorers = {text: found for text, found in self._scorers.items() if not found.is_unused}
        text = json.dumps(asdict(scorer), sort_keys=True)
        return self._scorers.setdefault(text, OnDemandScorer(scorer, modules=self._modules))


def _scores(scorer: RuleScorer, result: Mapping[str, Any]) -> list[pb.RunScore]:
    if result["status"] != "scored":
        return [pb.RunScore(name=scorer.name, error=result.get("error", "was not scored"))]
    return [
        pb.RunScore(name=score["name"], score=score.get("score"), reason=score["reason"]) for score in result["scores"]
    ]
