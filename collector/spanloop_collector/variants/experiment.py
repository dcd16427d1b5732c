"""A baseline and the tree of variants that are compared with it: what may be done when.

draft ─▶ baseline_pending ─▶ running_baseline ─▶ baseline_complete ─▶ running_variant ─▶ idle ─▶ completed ─▶ archived
                 ▲                  │                                        ▲           │
                 └── baseline_failed ◀┘                                      └───────────┘

The steps and the tasks are locked from the first run of the baseline on; a baseline that failed unlocks them.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from spanloop_collector.errors import ConflictError, InvalidRequestError, NotFoundError
from spanloop_collector.variants.parameters import check_parameter

DRAFT, BASELINE_PENDING, RUNNING_BASELINE = "draft", "baseline_pending", "running_baseline"
BASELINE_COMPLETE, BASELINE_FAILED = "baseline_complete", "baseline_failed"
RUNNING_VARIANT, IDLE, COMPLETED, ARCHIVED = "running_variant", "idle", "completed", "archived"

UNLOCKED = (DRAFT, BASELINE_PENDING, BASELINE_FAILED)
HAS_BASELINE = (BASELINE_COMPLETE, IDLE)
RUNNING = (RUNNING_BASELINE, RUNNING_VARIANT)

BASELINE = "baseline"
"""Name of the tree's root."""
MAX_STEPS = 100
MAX_VARIANTS = 1000
MAX_NAME_CHARACTERS = 200

Configuration = Mapping[str, Mapping[str, Any]]
"""By step: parameters and their values."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to."""

    total: int
    passed: int
    failed: int
    completed: float
    """When it ended, Unix seconds."""

    @property
    def pass_rate(self) -> float:
        """Percentage of the tasks that passed."""
        return 100 * self.passed / self.total


@dataclass(frozen=True, slots=True)
class Variant:
    """One change to one parameter of one step, on top of its parent."""

    parent: str = ""
    step: str = ""
    parameter: str = ""
    value: Any = None
    run_id: str = ""
    """The newest run."""
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class VariantExperiment:
    """The state of an experiment; its tasks and runs are kept beside it."""

    name: str
    description: str = ""
    steps: tuple[str, ...] = ()
    status: str = DRAFT
    tasks_id: str = ""
    """Under which its tasks are kept; other tasks, another id."""
    task_count: int = 0
    pass_when: str = ""
    """SQL over the root row of a test's trace."""
    timeout_seconds: float = 300.0
    max_at_once: int = 4
    target: str = ""
    """Where tests are sent, as it may be shown."""
    configuration: Configuration = field(default_factory=dict)
    """Of the baseline."""
    variants: Mapping[str, Variant] = field(default_factory=dict)
    """By name, the baseline among them once it was run."""
    uid: str = field(default_factory=lambda: uuid.uuid4().hex)

    def as_state(self) -> dict[str, Any]:
        """The experiment as JSON has it."""
        return asdict(self)

    def effective(self, variant: str) -> dict[str, dict[str, Any]]:
        """The configuration of a variant: the baseline's with every change on the path from the root."""
        path: list[Variant] = []
        while variant != BASELINE:
            path.append(self.variant(variant))
            variant = path[-1].parent
        merged = {step: dict(parameters) for step, parameters in self.configuration.items()}
        for change in reversed(path):
            merged.setdefault(change.step, {})[change.parameter] = change.value
        return merged

    def variant(self, name: str, *, field: str = "variant") -> Variant:
        """The variant of that name; raises NotFoundError."""
        if name not in self.variants:
            known = ", ".join(self.variants) or "none yet"
            raise NotFoundError(f"{field}: {self.name} has no variant {name!r}; there are: {known}")
        return self.variants[name]

    def against_baseline(self, name: str) -> float | None:
        """Relative change of a variant's pass rate in percent; None where there is nothing to compare."""
        base, outcome = self.variants[BASELINE].outcome, self.variants[name].outcome
        if name == BASELINE or base is None or outcome is None or not base.passed:
            return None
        return 100 * (outcome.pass_rate - base.pass_rate) / base.pass_rate


def read_experiment(state: Mapping[str, Any]) -> VariantExperiment:
    """The experiment behind a state; what a newer collector added is left out."""
    known = {each.name for each in fields(VariantExperiment)}
    values = {name: value for name, value in state.items() if name in known}
    values["steps"] = tuple(values["steps"])
    values["variants"] = {name: _read_variant(each) for name, each in values["variants"].items()}
    return VariantExperiment(**values)


def with_tasks(experiment: VariantExperiment, tasks_id: str, count: int) -> VariantExperiment:
    """The experiment with these tasks."""
    _require(experiment, UNLOCKED, "change the tasks: they are locked once the baseline runs")
    return replace(experiment, tasks_id=tasks_id, task_count=count, status=BASELINE_PENDING)


def check_steps(steps: tuple[str, ...]) -> None:
    """Returns for names of different steps; raises InvalidRequestError for anything else."""
    if not steps or len(steps) > MAX_STEPS or len(set(steps)) != len(steps) or not all(map(is_name, steps)):
        raise InvalidRequestError(f"steps: name up to {MAX_STEPS} different inference steps", field="steps")


def start_baseline(experiment: VariantExperiment, configuration: Configuration, run_id: str) -> VariantExperiment:
    """The experiment while its baseline runs."""
    if experiment.status == DRAFT:
        raise ConflictError(f"{experiment.name} has no tasks yet; set them first")
    _require(experiment, (BASELINE_PENDING, BASELINE_FAILED), "run the baseline: it has run, and variants build on it")
    for step, parameters in configuration.items():
        _check_step(experiment, step, "configuration")
        for parameter, value in parameters.items():
            check_parameter(parameter, value, path=f"configuration.{step}")
    return replace(
        experiment,
        status=RUNNING_BASELINE,
        configuration={step: dict(parameters) for step, parameters in configuration.items()},
        variants={BASELINE: Variant(run_id=run_id)},
    )


def add_variant(experiment: VariantExperiment, name: str, variant: Variant) -> VariantExperiment:
    """The experiment with one more variant, which has not run."""
    _require(
        experiment,
        (*HAS_BASELINE, RUNNING_VARIANT),
        "add a variant: the baseline must have run, and the experiment must not be over",
    )
    if not is_name(name):
        raise InvalidRequestError(
            f"name: expected up to {MAX_NAME_CHARACTERS} characters without a slash, got {name!r:.100}", field="name"
        )
    experiment.variant(variant.parent, field="parent")
    _check_step(experiment, variant.step, "step")
    check_parameter(variant.parameter, variant.value, path="value")
    if name in experiment.variants:
        known = experiment.variants[name]
        if replace(known, run_id="", outcome=None) == variant:
            return experiment
        raise ConflictError(f"{experiment.name} has another variant {name!r}; what has a name stays as it is")
    if len(experiment.variants) >= MAX_VARIANTS:
        raise ConflictError(f"{experiment.name} has {MAX_VARIANTS} variants; make another experiment")
    return replace(experiment, variants={**experiment.variants, name: variant})


def start_variant(experiment: VariantExperiment, name: str, run_id: str) -> VariantExperiment:
    """The experiment while a variant runs; running one again replaces its outcome."""
    variant = experiment.variant(name)
    if name == BASELINE:
        raise ConflictError("the baseline has run, and variants build on it; make another experiment for another one")
    _require(experiment, HAS_BASELINE, "run a variant")
    started = replace(variant, run_id=run_id, outcome=None)
    return replace(experiment, status=RUNNING_VARIANT, variants={**experiment.variants, name: started})


def finish_run(
    experiment: VariantExperiment, name: str, run_id: str, outcome: Outcome, *, was_executed: bool
) -> VariantExperiment:
    """The experiment after a run. A baseline of which nothing was executed has failed."""
    variant = experiment.variants.get(name)
    if variant is None or variant.run_id != run_id or experiment.status not in RUNNING:
        return experiment
    status = IDLE
    if name == BASELINE:
        status = BASELINE_COMPLETE if was_executed else BASELINE_FAILED
    finished = replace(variant, outcome=outcome)
    return replace(experiment, status=status, variants={**experiment.variants, name: finished})


def complete(experiment: VariantExperiment) -> VariantExperiment:
    """The experiment, ended for good."""
    if experiment.status == COMPLETED:
        return experiment
    _require(experiment, HAS_BASELINE, "complete it")
    return replace(experiment, status=COMPLETED)


def archive(experiment: VariantExperiment) -> VariantExperiment:
    """The experiment, put away. A run that is under way ends first."""
    if experiment.status in RUNNING:
        raise ConflictError(f"{experiment.name} is {experiment.status}; it can be archived when the run has ended")
    return replace(experiment, status=ARCHIVED)


def _require(experiment: VariantExperiment, statuses: tuple[str, ...], what: str) -> None:
    if experiment.status not in statuses:
        raise ConflictError(f"{experiment.name} is {experiment.status}; cannot {what}")


def _check_step(experiment: VariantExperiment, step: str, field_name: str) -> None:
    if step not in experiment.steps:
        known = ", ".join(experiment.steps)
        raise InvalidRequestError(
            f"{field_name}: {step!r:.100} is no step of {experiment.name}; there are: {known}", field=field_name
        )


def is_name(text: str) -> bool:
    """True for what may name an experiment, a variant or a step."""
    return 0 < len(text) <= MAX_NAME_CHARACTERS and "/" not in text


def _read_variant(state: Mapping[str, Any]) -> Variant:
    outcome = state.get("outcome")
    return Variant(**{**state, "outcome": Outcome(**outcome) if outcome else None})
