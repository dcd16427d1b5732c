"""Scores an answer with scorers by name, each in a process of its own: the machinery of online scoring."""

from __future__ import annotations

import importlib
import importlib.util
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from operator import itemgetter
from typing import Any

from spanloop.scoring.builtins import BUILTINS
from spanloop.v1 import playground_pb2 as pb

from spanloop_collector.score.rule import RuleScorer
from spanloop_collector.score.work.on_demand import OnDemandScorer

JUDGE_WORDS = "A model answers a prompt of yours with one of a few choices."


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


def known_scorers() -> list[pb.PlaygroundScorer]:
    """The scorers that may be named, each with a sentence; blocks while libraries are imported."""
    known = [
        pb.PlaygroundScorer(use=name, description=_sentence(function.__doc__)) for name, function in BUILTINS.items()
    ]
    if importlib.util.find_spec("openai") is not None:
        known.append(pb.PlaygroundScorer(use="judge", description=JUDGE_WORDS))
    if importlib.util.find_spec("autoevals") is not None:
        library = importlib.import_module("autoevals")
        # The longest names first: of two names of one class the short one stays. Without words it is a base of others.
        classes = {name: each for name, each in vars(library).items() if isinstance(each, type)}
        found = {classes[name]: name for name in sorted(classes, key=len, reverse=True)}
        known += [
            pb.PlaygroundScorer(use=f"autoevals.{name}", description=_sentence(scorer.__doc__))
            for scorer, name in sorted(found.items(), key=itemgetter(1))
            if hasattr(scorer, "eval_async") and scorer.__doc__
        ]
    return known


def _scores(scorer: RuleScorer, result: Mapping[str, Any]) -> list[pb.RunScore]:
    if result["status"] != "scored":
        return [pb.RunScore(name=scorer.name, error=result.get("error", "was not scored"))]
    return [
        pb.RunScore(name=score["name"], score=score.get("score"), reason=score["reason"]) for score in result["scores"]
    ]


def _sentence(docstring: str | None) -> str:
    return (docstring or "").strip().partition("\n")[0]
