"""Evals: a task tried on many cases, scored, recorded as an experiment and compared with the one before.

    from spanloop import Eval

    Eval(
        "support",
        data=[{"input": "17 + 4", "expected": "21"}],
        task=lambda input: str(eval(input)),
        scores=[lambda output, expected: output == expected],
    )

`spanloop eval FILE` runs the evals of a file.
"""

from spanloop.eval._case import BaseExperiment, EvalCase
from spanloop.eval._eval import Eval, EvalAsync
from spanloop.eval._evaluator import Evaluator
from spanloop.eval._experiment import Experiment, MixedLoggingError
from spanloop.eval._hooks import EvalHooks
from spanloop.eval._init_experiment import current_experiment, init_experiment
from spanloop.eval._readonly import ReadonlyExperiment
from spanloop.eval._report import Reporter
from spanloop.eval._result import (
    EvalResult,
    EvalResultWithSummary,
    ExperimentSummary,
    MetricSummary,
    ScoreSummary,
)
from spanloop.scoring.score import Score

__all__ = [
    "BaseExperiment",
    "Eval",
    "EvalAsync",
    "EvalCase",
    "EvalHooks",
    "EvalResult",
    "EvalResultWithSummary",
    "Evaluator",
    "Experiment",
    "ExperimentSummary",
    "MetricSummary",
    "MixedLoggingError",
    "ReadonlyExperiment",
    "Reporter",
    "Score",
    "ScoreSummary",
    "current_experiment",
    "init_experiment",
]
