"""The scorers that a rule or a run of the playground can name without any code of one's own."""

from __future__ import annotations

import importlib
import importlib.util
from operator import itemgetter

from spanloop.scoring.builtins import BUILTINS
from spanloop.v1 import rules_pb2

JUDGE_WORDS = "A model answers a prompt of yours with one of a few choices."


def known_scorers() -> list[rules_pb2.KnownScorer]:
    """The scorers that may be named, each with a sentence; blocks while libraries are imported."""
    known = [
        rules_pb2.KnownScorer(use=name, description=_sentence(function.__doc__)) for name, function in BUILTINS.items()
    ]
    if importlib.util.find_spec("openai") is not None:
        known.append(rules_pb2.KnownScorer(use="judge", description=JUDGE_WORDS))
    if importlib.util.find_spec("autoevals") is not None:
        library = importlib.import_module("autoevals")
        # The longest names first: of two names of one class the short one stays. Without words it is a base of others.
        classes = {name: each for name, each in vars(library).items() if isinstance(each, type)}
        found = {classes[name]: name for name in sorted(classes, key=len, reverse=True)}
        known += [
            rules_pb2.KnownScorer(use=f"autoevals.{name}", description=_sentence(scorer.__doc__))
            for scorer, name in sorted(found.items(), key=itemgetter(1))
            if hasattr(scorer, "eval_async") and scorer.__doc__
        ]
    return known


def _sentence(docstring: str | None) -> str:
    return (docstring or "").strip().partition("\n")[0]
