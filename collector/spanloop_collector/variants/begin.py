"""Begins a run, and takes the verdicts that the application itself gives. Calls block: use them in a thread."""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable
from dataclasses import replace

from spanloop_collector.errors import ConflictError, NotFoundError
from spanloop_collector.store.changes import Actor
from spanloop_collector.variants.experiment import VariantExperiment
from spanloop_collector.variants.run import FAILED, FINISHED, PASSED, WAITING, Run, Verdict, advance, new_run
from spanloop_collector.variants.table import TRIES, VariantTable


def start_run(
    table: VariantTable,
    project: str,
    name: str,
    variant: str,
    start: Callable[[VariantExperiment, str], VariantExperiment],
    actor: Actor,
    *,
    now: float,
) -> VariantExperiment:
    """Keeps a run, then has the experiment know it: a run that no experiment knows is not run."""
    run_id = secrets.token_hex(8)
    before = table.find(project, name)
    started = start(before, run_id)
    tasks = table.tasks(project, started.tasks_id)
    overrides = started.effective(variant)
    table.add_run(project, new_run(run_id, name, variant, tasks, now=now, overrides=overrides), actor)

    def begin(experiment: VariantExperiment) -> VariantExperiment:
        if experiment.tasks_id != started.tasks_id:
            raise ConflictError(f"the tasks of {name} are being changed by somebody else; try again")
        return start(experiment, run_id)

    return table.change(project, name, f"{variant} started", actor, begin)


def settle(table: VariantTable, project: str, verdict: Verdict) -> str:
    """Keeps a verdict that the application gave; returns the test's status."""
    for _ in range(TRIES):
        version, run = _find_run(table, project, verdict.test_id)
        test = next((test for test in run.tests if test.id == verdict.test_id), None)
        if test is None:
            raise NotFoundError(f"test_id: there is no test {verdict.test_id!r} in project {project!r}")
        wanted = PASSED if verdict.passed else FAILED
        if test.status in (PASSED, FAILED):
            if test.status == wanted:
                return wanted
            raise ConflictError(f"test {test.id} has {test.status} already")
        if test.status == WAITING:
            raise ConflictError(f"test {test.id} has not been sent yet")
        # Nothing else about the run changes here: its runner sends and ends.
        after = advance(run, [verdict], now=test.sent, max_at_once=0, timeout_seconds=math.inf)
        if after.status == FINISHED:
            after = replace(after, status=run.status, finished=run.finished)
        if table.keep_run(project, version + 1, after, Actor("application")):
            return wanted
    raise ConflictError(f"test {verdict.test_id} is being changed all the time; try again")


def _find_run(table: VariantTable, project: str, test_id: str) -> tuple[int, Run]:
    found = table.find_run(project, test_id.rpartition(".")[0])
    if found is None:
        raise NotFoundError(f"test_id: there is no test {test_id!r} in project {project!r}")
    return found
