"""Experiments, their tasks and their runs as they are kept. Calls block: use them in a thread."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from spanloop_collector.errors import ConflictError, NotFoundError
from spanloop_collector.store.changes import Actor, Change, ChangeLog, differences
from spanloop_collector.store.store import Store
from spanloop_collector.variants.experiment import VariantExperiment, read_experiment
from spanloop_collector.variants.run import Run, Task, read_run

TRIES = 10

FIND_RUNNING = """
SELECT project, id
FROM (SELECT project, id, action FROM {database:Identifier}.variant_runs WHERE kind = 'run'
    ORDER BY version DESC LIMIT 1 BY project, id)
WHERE action = 'running'
"""


class VariantTable:
    """What is known about experiments with variants."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._experiments = ChangeLog(store, "variants")
        self._tasks = ChangeLog(store, "tasks", table="variant_runs")
        self._runs = ChangeLog(store, "run", table="variant_runs")

    def all(self, project: str) -> list[VariantExperiment]:
        """The experiments of a project by name."""
        found = [read_experiment(latest.state) for latest in self._experiments.latest(project)]
        return sorted(found, key=lambda experiment: experiment.name)

    def find(self, project: str, name: str) -> VariantExperiment:
        """The experiment of that name; raises NotFoundError."""
        latest = self._experiments.find(project, name)
        if latest is None:
            raise NotFoundError(f"name: no variant experiment {name!r} in project {project!r}")
        return read_experiment(latest.state)

    def create(self, project: str, experiment: VariantExperiment, actor: Actor) -> bool:
        """Adds an experiment; False when the name is taken."""
        change = Change(project, experiment.name, 1, "created", actor, experiment.as_state())
        return self._experiments.find(project, experiment.name) is None and self._experiments.append(change)

    def change(
        self,
        project: str,
        name: str,
        action: str,
        actor: Actor,
        change: Callable[[VariantExperiment], VariantExperiment],
    ) -> VariantExperiment:
        """Changes an experiment; `change` is called again on the newer one when somebody else was faster."""
        for _ in range(TRIES):
            latest = self._experiments.find(project, name)
            if latest is None:
                return self.find(project, name)
            before = read_experiment(latest.state)
            after = change(before)
            if after == before:
                return before
            state = after.as_state()
            changed = differences(before.as_state(), state)
            if self._experiments.append(
                Change(project, name, latest.version + 1, action, actor, state, changed=changed)
            ):
                return after
        raise ConflictError(f"{name} is being changed by others all the time; try again")

    def tasks(self, project: str, tasks_id: str) -> list[Task]:
        """The tasks that are kept under this id, in their order."""
        latest = self._tasks.find(project, tasks_id)
        return [Task(**task) for task in latest.state["tasks"]] if latest else []

    def add_tasks(self, project: str, tasks: Sequence[Task], actor: Actor) -> str:
        """Keeps tasks; returns the id to find them by."""
        tasks_id = uuid.uuid4().hex
        state = {"tasks": [asdict(task) for task in tasks]}
        self._tasks.append(Change(project, tasks_id, 1, "set", actor, state))
        return tasks_id

    def add_run(self, project: str, run: Run, actor: Actor) -> None:
        """Keeps a run that begins."""
        self._runs.append(Change(project, run.id, 1, run.status, actor, run.as_state()))

    def find_run(self, project: str, run_id: str) -> tuple[int, Run] | None:
        """A run and its version."""
        latest = self._runs.find(project, run_id)
        return (latest.version, read_run(latest.state)) if latest else None

    def keep_run(self, project: str, version: int, run: Run, actor: Actor) -> bool:
        """Keeps a run's next version; False when somebody else was faster."""
        return self._runs.append(Change(project, run.id, version, run.status, actor, run.as_state()))

    def running(self) -> list[tuple[str, str]]:
        """Project and id of every run that is under way."""
        rows: Sequence[Sequence[Any]] = self._store.query(FIND_RUNNING, {"database": self._store.database}).result_rows
        return [(str(row[0]), str(row[1])) for row in rows]
