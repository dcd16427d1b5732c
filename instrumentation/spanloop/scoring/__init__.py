"""Scorers: what they are, what they return, and those that come with spanloop. Evals and online scoring share them.

from spanloop.scoring import Score, scorer

@scorer(name="short")
def is_short(output): return Score("short", len(output) < 200, reason=f"{len(output)} characters")
"""

from spanloop.scoring.call import Scorer, call_scorer, call_scorer_async, scorer_name, scorer_version, wants_trace
from spanloop.scoring.registry import ScorerSpec, check_spec, load_scorer, scorer
from spanloop.scoring.rules import delete_rule, list_rules, put_rule
from spanloop.scoring.score import Score, ScoreError, scores_of
from spanloop.scoring.trace import Trace

__all__ = [
    "Score",
    "ScoreError",
    "Scorer",
    "ScorerSpec",
    "Trace",
    "call_scorer",
    "call_scorer_async",
    "check_spec",
    "delete_rule",
    "list_rules",
    "load_scorer",
    "put_rule",
    "scorer",
    "scorer_name",
    "scorer_version",
    "scores_of",
    "wants_trace",
]
