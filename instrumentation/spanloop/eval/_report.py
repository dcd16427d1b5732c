"""Reporters: what is said about finished evals, and whether the run counts as passed."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spanloop._words import counted

if TYPE_CHECKING:
    from spanloop.eval._evaluator import Evaluator
    from spanloop.eval._result import EvalResultWithSummary

SHOWN_ERRORS = 1
"""Tracebacks that are shown of one eval, unless all are asked for."""


@dataclass(frozen=True, slots=True)
class Reporter:
    """What to do with results, in a terminal or in CI.

    Reporter("ci", report_eval=lambda evaluator, result, verbose, jsonl: result.summary.scores["exact"].score > 0.9,
             report_run=lambda reports, verbose, jsonl: all(reports))
    """

    name: str
    report_eval: Callable[[Evaluator, EvalResultWithSummary, bool, bool], Any]
    """Called with each finished eval, its result, verbose and jsonl; what it returns goes to `report_run`."""
    report_run: Callable[[Sequence[Any], bool, bool], bool]
    """Called at the end; False makes `spanloop eval` fail with exit code 1."""

    def __post_init__(self) -> None:
        from spanloop.eval import _registry

        _registry.add_reporter(self)


def report_eval(evaluator: Evaluator, result: EvalResultWithSummary, verbose: bool, jsonl: bool) -> bool:
    """Prints the summary; True when no task and no scorer raised and every trial ran."""
    passed = not result.failed_total and not result.not_run
    if jsonl:
        print(json.dumps(_as_json(evaluator, result, passed)), flush=True)
        return passed
    print(f"\n{evaluator.eval_name}\n{result.summary.text}", flush=True)
    for line in problems(result, verbose=verbose):
        print(line, file=sys.stderr, flush=True)
    return passed


def report_run(reports: Sequence[Any], verbose: bool, jsonl: bool) -> bool:
    """True when every eval passed."""
    return all(reports)


def problems(result: EvalResultWithSummary, *, verbose: bool) -> list[str]:
    """What went wrong, in words."""
    lines = []
    if result.failed_total:
        lines.append(f"\n{result.failed_total} of {counted(result.trial_total, 'trial')} failed:")
        shown = result.failures if verbose else result.failures[:SHOWN_ERRORS]
        for each in shown:
            lines += [f"\ninput: {each.input}", *each.traces]
        more = result.failed_total - len(shown)
        if more:
            lines.append(f"\n… {more:,} more; " + ("they are in the experiment" if verbose else "--verbose shows them"))
    if result.not_run:
        lines.append(f"{counted(result.not_run, 'trial')} not run")
    if result.not_recorded:
        lines.append(f"{counted(result.not_recorded, 'row')} that did not reach the collector; its log says why")
    if not result.is_complete and result.results:
        lines.append(f"only the first {counted(len(result.results), 'result')} kept in memory")
    return lines


def _as_json(evaluator: Evaluator, result: EvalResultWithSummary, passed: bool) -> dict[str, Any]:
    from dataclasses import asdict

    summary = asdict(result.summary)
    summary.pop("text")
    return {
        "eval": evaluator.eval_name,
        "passed": passed,
        "failed": result.failed_total,
        "not_run": result.not_run,
        "not_recorded": result.not_recorded,
        **summary,
    }


def default_reporter() -> Reporter:
    """The reporter that prints to the terminal."""
    from spanloop.eval import _registry

    with _registry.unregistered():
        return Reporter("terminal", report_eval, report_run)
