"""What an eval returns: a result for each trial, and the summary of all."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

SHOWN_CHARACTERS = 200


@dataclass(slots=True)
class EvalResult:
    """One trial of one case."""

    input: Any
    output: Any = None
    expected: Any = None
    scores: dict[str, float | None] = field(default_factory=dict)
    """None where a scorer had nothing to say."""
    metadata: dict[str, Any] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    error: BaseException | None = None
    """What the task raised."""
    scorer_errors: dict[str, str] = field(default_factory=dict)
    """Traceback of each scorer that raised; the others still count."""
    duration: float = 0.0
    """Seconds that the task took."""
    trial_index: int = 0
    id: str = ""
    """Id of its row in the experiment; empty where nothing was recorded."""
    trace_id: str = ""
    origin: dict[str, Any] | None = None
    output_json: str = field(default="", repr=False)
    """The output as it is recorded; empty where nothing was."""

    @property
    def exc_info(self) -> str | None:
        """The error with its traceback."""
        return "".join(traceback.format_exception(self.error)) if self.error is not None else None

    @property
    def has_failed(self) -> bool:
        """Whether the task or a scorer raised."""
        return self.error is not None or bool(self.scorer_errors)


@dataclass(frozen=True, slots=True)
class Failure:
    """What a failed trial leaves to be shown, also by another process."""

    input: str
    traces: list[str]
    """Tracebacks of the task or of scorers."""

    @classmethod
    def of(cls, result: EvalResult) -> Failure:
        """The failure behind a result."""
        shown = repr(result.input)
        traces = [result.exc_info] if result.exc_info else []
        traces += [f"scorer {name}: {text}" for name, text in result.scorer_errors.items()]
        return cls(shown if len(shown) <= SHOWN_CHARACTERS else f"{shown[:SHOWN_CHARACTERS]}…", traces)


@dataclass(frozen=True, slots=True)
class ScoreSummary:
    """One score over all cases."""

    name: str
    score: float | None
    """Mean over the cases that have it."""
    diff: float | None = None
    """Against the experiment it is compared with, over the cases both have."""
    improvements: int = 0
    regressions: int = 0
    deviation: float | None = None
    """Standard deviation between cases."""
    p_value: float | None = None
    """How likely such a difference is by chance, corrected for the number of scores."""
    verdict: str = ""
    """better, worse, unclear, same, too few; empty where nothing is compared."""
    words: str = ""
    """The same as a sentence."""


@dataclass(frozen=True, slots=True)
class MetricSummary:
    """One metric over all cases."""

    name: str
    metric: float | None
    unit: str = ""
    diff: float | None = None
    improvements: int = 0
    regressions: int = 0
    verdict: str = ""


@dataclass(frozen=True, slots=True)
class ExperimentSummary:
    """An experiment in numbers and in words."""

    project_name: str
    experiment_name: str
    scores: dict[str, ScoreSummary]
    metrics: dict[str, MetricSummary]
    experiment_id: str | None = None
    """None for an eval that ran without a collector."""
    comparison_experiment_name: str | None = None
    cases: int = 0
    trials: int = 0
    errors: int = 0
    text: str = ""
    """Everything, for a terminal."""

    def __str__(self) -> str:
        return self.text


@dataclass(slots=True, repr=False)
class EvalResultWithSummary:
    """What `Eval` returns."""

    summary: ExperimentSummary
    results: list[EvalResult]
    """Every trial; of a stream of cases only the first `max_results`, which `is_complete` tells."""
    trial_total: int = 0
    failed_total: int = 0
    """Trials whose task or scorer raised, whether or not they are among the results."""
    is_complete: bool = True
    """Whether `results` holds every trial; the others are in the experiment."""
    not_run: int = 0
    """Trials that were left out because time was up or the run was stopped."""
    not_recorded: int = 0
    """Rows that did not reach the collector."""
    failures: list[Failure] = field(default_factory=list)
    """What the first failed trials said."""

    def __repr__(self) -> str:
        """Short, however many trials there were: notebooks show it, and asyncio makes it of what it has run."""
        name = self.summary.experiment_name or "not recorded"
        return f"<EvalResultWithSummary {name!r}: {self.trial_total} trials, {self.failed_total} failed>"

    def __iter__(self) -> Iterator[EvalResult]:
        return iter(self.results)

    @property
    def errors(self) -> list[EvalResult]:
        """Results whose task or a scorer raised."""
        return [result for result in self.results if result.has_failed]
