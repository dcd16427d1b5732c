"""Experiments with variants as the API answers them."""

from __future__ import annotations

from datetime import UTC, datetime

from spanloop.v1 import variants_pb2

from spanloop_collector.api.json_codec import write_json
from spanloop_collector.variants.experiment import BASELINE, VariantExperiment


def experiment_message(project: str, experiment: VariantExperiment) -> variants_pb2.VariantExperiment:
    """The experiment with its variants, each with its effective configuration and its outcome."""
    return variants_pb2.VariantExperiment(
        name=experiment.name,
        project=project,
        description=experiment.description,
        steps=experiment.steps,
        status=experiment.status,
        task_count=experiment.task_count,
        target=experiment.target,
        pass_when=experiment.pass_when,
        timeout_seconds=experiment.timeout_seconds,
        max_at_once=experiment.max_at_once,
        variants=[_variant(experiment, name) for name in experiment.variants],
    )


def _variant(experiment: VariantExperiment, name: str) -> variants_pb2.Variant:
    variant = experiment.variants[name]
    is_change = name != BASELINE
    return variants_pb2.Variant(
        name=name,
        parent=variant.parent,
        step=variant.step,
        parameter=variant.parameter,
        value=write_json(variant.value) if is_change else None,
        effective=write_json(experiment.effective(name)),
        outcome=_outcome(experiment, name),
        run_id=variant.run_id,
    )


def _outcome(experiment: VariantExperiment, name: str) -> variants_pb2.VariantOutcome | None:
    outcome = experiment.variants[name].outcome
    if outcome is None:
        return None
    return variants_pb2.VariantOutcome(
        total=outcome.total,
        passed=outcome.passed,
        failed=outcome.failed,
        pass_rate=outcome.pass_rate,
        against_baseline=experiment.against_baseline(name),
        completed=datetime.fromtimestamp(outcome.completed, UTC).isoformat(timespec="milliseconds"),
    )
