"""Adds up results as they come, so that no result has to be kept for the summary."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from spanloop._words import counted
from spanloop.eval._result import EvalResult, ExperimentSummary, MetricSummary, ScoreSummary


@dataclass(slots=True)
class Running:
    """Mean and deviation of the values so far (Welford)."""

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0

    def add(self, value: float) -> None:
        self.count += 1
        step = value - self.mean
        self.mean += step / self.count
        self.squares += step * (value - self.mean)

    def merge(self, other: Running) -> None:
        """Adds the values of another."""
        if not other.count:
            return
        count = self.count + other.count
        step = other.mean - self.mean
        self.mean += step * other.count / count
        self.squares += other.squares + step * step * self.count * other.count / count
        self.count = count

    @property
    def deviation(self) -> float | None:
        """Between values; None for fewer than two."""
        return math.sqrt(self.squares / (self.count - 1)) if self.count > 1 else None


class Tally:
    """Scores and failures of one eval. A case's trials count as one value: their mean."""

    def __init__(self) -> None:
        self.trials = self.failed = self.cases = 0
        self.scores: dict[str, Running] = {}
        self.seconds = Running()
        self._open: dict[int, _Case] = {}

    def add(self, case_number: int, trial_count: int, result: EvalResult) -> None:
        """Counts one trial of a case that has so many."""
        self.trials += 1
        self.failed += result.has_failed
        self.seconds.add(result.duration)
        if trial_count == 1:
            self._close(result.scores)
            return
        case = self._open.setdefault(case_number, _Case(trial_count))
        for name, score in result.scores.items():
            if score is not None:
                case.scores.setdefault(name, Running()).add(score)
        case.left -= 1
        if not case.left:
            self._close_case(self._open.pop(case_number))

    def merge(self, other: Tally) -> None:
        """Adds what another process counted of other cases."""
        self.trials += other.trials
        self.failed += other.failed
        self.cases += other.cases
        self.seconds.merge(other.seconds)
        for name, running in other.scores.items():
            self.scores.setdefault(name, Running()).merge(running)

    def finish(self) -> None:
        """Counts cases of which not all trials ran."""
        while self._open:
            self._close_case(self._open.popitem()[1])

    def _close_case(self, case: _Case) -> None:
        self._close({name: running.mean for name, running in case.scores.items()})

    def _close(self, scores: Mapping[str, float | None]) -> None:
        self.cases += 1
        for name, score in scores.items():
            if score is not None:
                running = self.scores.get(name)
                if running is None:
                    running = self.scores[name] = Running()
                running.add(score)

    def summary(self, project: str, experiment: str) -> ExperimentSummary:
        """What is known without a collector: nothing to compare with."""
        scores = {
            name: ScoreSummary(name, running.mean, deviation=running.deviation) for name, running in self.scores.items()
        }
        metrics = {"duration": MetricSummary("duration", self.seconds.mean, "s")} if self.trials else {}
        return ExperimentSummary(
            project_name=project,
            experiment_name=experiment,
            scores=scores,
            metrics=metrics,
            cases=self.cases,
            trials=self.trials,
            errors=self.failed,
            text=self._text(experiment),
        )

    def _text(self, experiment: str) -> str:
        trials = f", {counted(self.trials, 'trial')}" if self.trials != self.cases else ""
        failed = f", {self.failed} failed" if self.failed else ""
        lines = [f"{experiment or 'not recorded'}: {counted(self.cases, 'case')}{trials}{failed}", ""]
        width = max(map(len, [*self.scores, "duration"]))
        for name, running in sorted(self.scores.items()):
            spread = f"  ± {running.deviation * 100:.1f}% between cases" if running.deviation is not None else ""
            lines.append(f"  {name:<{width}}  {running.mean * 100:>9.1f}%{spread}")
        if self.trials:
            lines.append(f"  {'duration':<{width}}  {self.seconds.mean:>9.3g} s")
        return "\n".join(lines)


class _Case:
    """A case some of whose trials are still to come."""

    __slots__ = ("left", "scores")

    def __init__(self, trials: int) -> None:
        self.left = trials
        self.scores: dict[str, Running] = {}
