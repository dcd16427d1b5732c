"""What may be done with an experiment, in each of its states."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from spanloop_collector.errors import ConflictError, InvalidRequestError, NotFoundError
from spanloop_collector.variants.experiment import (
    Outcome,
    Variant,
    VariantExperiment,
    add_variant,
    archive,
    check_steps,
    complete,
    finish_run,
    read_experiment,
    start_baseline,
    start_variant,
    with_tasks,
)

TODAY = {"classifier": {"model": "small", "temperature": 0.7}}


def make_experiment() -> VariantExperiment:
    """With tasks."""
    return with_tasks(VariantExperiment("colder", steps=("classifier", "writer")), "t", 4)


def ended(experiment: VariantExperiment, name: str, passed: int, *, was_executed: bool = True) -> VariantExperiment:
    run_id = experiment.variants[name].run_id
    return finish_run(experiment, name, run_id, Outcome(4, passed, 4 - passed, 1.0), was_executed=was_executed)


def with_baseline(passed: int = 2) -> VariantExperiment:
    return ended(start_baseline(make_experiment(), TODAY, "run-0"), "baseline", passed)


def test_the_life_of_an_experiment() -> None:
    experiment = VariantExperiment("colder", steps=("classifier",))
    assert experiment.status == "draft"
    experiment = with_tasks(experiment, "t", 4)
    assert experiment.status == "baseline_pending"
    experiment = start_baseline(experiment, TODAY, "run-0")
    assert experiment.status == "running_baseline"
    experiment = ended(experiment, "baseline", 2)
    assert experiment.status == "baseline_complete"
    experiment = add_variant(experiment, "cold", Variant("baseline", "classifier", "temperature", 0.3))
    experiment = start_variant(experiment, "cold", "run-1")
    assert experiment.status == "running_variant"
    experiment = ended(experiment, "cold", 3)
    assert experiment.status == "idle"
    assert experiment.variants["cold"].outcome == Outcome(4, 3, 1, 1.0)
    assert (experiment.variants["cold"].outcome.pass_rate, experiment.against_baseline("cold")) == (75, 50)
    assert experiment.against_baseline("baseline") is None
    experiment = complete(experiment)
    assert experiment.status == "completed"
    assert complete(experiment) == experiment
    assert archive(experiment).status == "archived"


def test_the_effective_configuration_is_the_path_from_the_root() -> None:
    experiment = with_baseline()
    experiment = add_variant(experiment, "a", Variant("baseline", "classifier", "temperature", 0.3))
    experiment = add_variant(experiment, "b", Variant("a", "classifier", "model", "large"))
    experiment = add_variant(experiment, "c", Variant("b", "writer", "max_tokens", 10))
    experiment = add_variant(experiment, "d", Variant("b", "classifier", "temperature", 0.1))
    assert experiment.effective("baseline") == TODAY
    assert experiment.effective("a") == {"classifier": {"model": "small", "temperature": 0.3}}
    assert experiment.effective("b") == {"classifier": {"model": "large", "temperature": 0.3}}
    assert experiment.effective("c") == {**experiment.effective("b"), "writer": {"max_tokens": 10}}
    assert experiment.effective("d") == {"classifier": {"model": "large", "temperature": 0.1}}
    assert read_experiment(json.loads(json.dumps(experiment.as_state()))) == experiment


def test_a_baseline_of_which_nothing_was_executed_has_failed_and_unlocks_the_tasks() -> None:
    experiment = ended(start_baseline(make_experiment(), {}, "run-0"), "baseline", 0, was_executed=False)
    assert experiment.status == "baseline_failed"
    with pytest.raises(ConflictError, match="cannot add a variant: the baseline must have run"):
        add_variant(experiment, "a", Variant("baseline", "classifier", "temperature", 0.3))
    again = start_baseline(with_tasks(experiment, "other", 5), {}, "run-1")
    assert ended(again, "baseline", 0).status == "baseline_complete"


def test_tasks_are_locked_from_the_baseline_on() -> None:
    for experiment in (start_baseline(make_experiment(), {}, "run-0"), with_baseline(), complete(with_baseline())):
        with pytest.raises(ConflictError, match="locked once the baseline runs"):
            with_tasks(experiment, "t", 5)


def test_what_is_too_early_or_too_late_is_refused() -> None:
    draft = VariantExperiment("colder", steps=("classifier",))
    running = start_baseline(make_experiment(), {}, "run-0")
    done = complete(with_baseline())
    variant = Variant("baseline", "classifier", "temperature", 0.3)
    attempts: list[tuple[Callable[[], object], str]] = [
        (lambda: start_baseline(draft, {}, "r"), "has no tasks yet"),
        (lambda: start_baseline(with_baseline(), {}, "r"), "it has run"),
        (lambda: complete(running), "cannot complete it"),
        (lambda: archive(running), "when the run has ended"),
        (lambda: add_variant(running, "a", variant), "the baseline must have run"),
        (lambda: add_variant(done, "a", variant), "is completed"),
        (lambda: start_variant(with_baseline(), "baseline", "r"), "the baseline has run"),
        (
            lambda: start_variant(start_variant(add_variant(with_baseline(), "a", variant), "a", "r"), "a", "s"),
            "running",
        ),
    ]
    for refused, words in attempts:
        with pytest.raises(ConflictError, match=words):
            refused()
    with pytest.raises(NotFoundError, match="variant: colder has no variant 'x'; there are: baseline"):
        start_variant(with_baseline(), "x", "r")


def test_a_variant_that_is_wrong_is_refused_by_its_field() -> None:
    experiment = with_baseline()
    for variant, words in (
        (
            Variant("baseline", "reader", "temperature", 0.3),
            "'reader' is no step of colder; there are: classifier, wri",
        ),
        (Variant("baseline", "classifier", "seed", 1), "'seed' cannot be overridden; there are: system, temperature"),
        (Variant("baseline", "classifier", "temperature", 3), "temperature is 3; expected a number from 0 to 2"),
        (Variant("baseline", "classifier", "temperature", "0"), "expected a number from 0 to 2"),
        (Variant("baseline", "classifier", "top_p", 1.1), "expected a number from 0 to 1"),
        (Variant("baseline", "classifier", "max_tokens", 0.5), "expected a positive whole number"),
        (Variant("baseline", "classifier", "max_tokens", True), "expected a positive whole number"),
        (Variant("baseline", "classifier", "model", ""), "expected the name of a model"),
        (Variant("baseline", "classifier", "verbosity", "loud"), "expected low, medium or high"),
        (Variant("baseline", "classifier", "system", 5), "expected a text"),
    ):
        with pytest.raises(InvalidRequestError, match=words):
            add_variant(experiment, "a", variant)
    with pytest.raises(NotFoundError, match="parent: colder has no variant 'none'; there are: baseline"):
        add_variant(experiment, "a", Variant("none", "classifier", "temperature", 0.3))


def test_adding_a_variant_again_changes_nothing_and_another_of_its_name_is_refused() -> None:
    variant = Variant("baseline", "classifier", "temperature", 0.3)
    experiment = ended(start_variant(add_variant(with_baseline(), "a", variant), "a", "run-1"), "a", 4)
    assert add_variant(experiment, "a", variant) == experiment
    with pytest.raises(ConflictError, match="has another variant 'a'"):
        add_variant(experiment, "a", Variant("baseline", "classifier", "temperature", 0.4))


def test_the_end_of_a_run_counts_once_and_only_for_the_newest() -> None:
    experiment = start_variant(
        add_variant(with_baseline(), "a", Variant("baseline", "classifier", "temperature", 0.3)), "a", "run-2"
    )
    late = finish_run(experiment, "a", "run-1", Outcome(4, 4, 0, 1.0), was_executed=True)
    assert late == experiment
    over = ended(experiment, "a", 4)
    assert finish_run(over, "a", "run-2", Outcome(4, 0, 4, 2.0), was_executed=True) == over


def test_without_a_passing_baseline_there_is_nothing_to_compare() -> None:
    experiment = add_variant(with_baseline(0), "a", Variant("baseline", "classifier", "temperature", 0.3))
    assert ended(start_variant(experiment, "a", "run-1"), "a", 4).against_baseline("a") is None


@pytest.mark.parametrize("steps", [(), ("a", "a"), ("a/b",), ("",)])
def test_steps_have_different_names(steps: tuple[str, ...]) -> None:
    with pytest.raises(InvalidRequestError, match="different inference steps"):
        check_steps(steps)
