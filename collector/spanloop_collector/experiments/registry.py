"""What is known of experiments: made under unique names, finished, and each with what it is compared with."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from spanloop_collector.errors import ConflictError, InvalidRequestError, NotFoundError
from spanloop_collector.experiments.record import Experiment
from spanloop_collector.experiments.table import ExperimentTable

MAX_NAME_CHARACTERS = 200
MAX_SUFFIX = 10_000


@dataclass(frozen=True, slots=True)
class Base:
    """What an experiment is compared with."""

    experiment: Experiment | None
    """None when there is nothing to compare with."""
    reason: str
    """explicit, stored, git ancestor, most recent, or empty."""


class Registry:
    """The experiments of all projects. Calls block: use them in a thread."""

    def __init__(self, table: ExperimentTable, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._table = table
        self._now = now

    def create(self, wanted: Experiment, *, base: str, update: bool) -> tuple[Experiment, bool]:
        """A new experiment, or the one of that name that is still open; and whether it is new.

        Raises ConflictError when the experiment to continue is finished.
        """
        if len(wanted.name) > MAX_NAME_CHARACTERS:
            raise InvalidRequestError(f"name: is longer than {MAX_NAME_CHARACTERS} characters", field="name")
        if update and wanted.name and (existing := self._table.named(wanted.project, wanted.name)):
            return open_experiment(existing), False
        base_id = self.get(wanted.project, base, field="base").id if base else ""
        wanted = replace(wanted, id=str(uuid.uuid4()), created=self._now(), base_id=base_id)
        return self._under_a_free_name(wanted), True

    def _under_a_free_name(self, wanted: Experiment) -> Experiment:
        name = wanted.name or _made_up_name(wanted)
        for number in range(1, MAX_SUFFIX):
            experiment = replace(wanted, name=name if number == 1 else f"{name}-{number}")
            if self._table.add(experiment):
                return experiment
        raise ConflictError(f"name: {name!r} and {MAX_SUFFIX} names made from it are taken; choose another")

    def find(self, project: str, id: str) -> Experiment | None:
        """The experiment with this id; an empty project looks in all."""
        return self._table.find(project, id)

    def get(self, project: str, id_or_name: str, *, field: str = "experiment") -> Experiment:
        """The experiment of this id or name."""
        found = self._table.find(project, id_or_name) or self._table.named(project, id_or_name)
        if found is None:
            where = (
                f" in project {project!r}; say its project if it is in another"
                if project
                else "; to find one by its name, say its project"
            )
            raise NotFoundError(f"{field}: there is no experiment {id_or_name!r}{where}")
        return found

    def newest(self, project: str, *, part: str, limit: int) -> list[Experiment]:
        """Experiments whose name contains `part`, the newest first."""
        return self._table.newest(project, part=part, limit=limit)

    def finish(self, experiment: Experiment) -> Experiment:
        """The experiment, ended; one that was ended before stays as it is."""
        if experiment.finished is not None:
            return experiment
        finished = replace(experiment, finished=self._now())
        self._table.replace(finished)
        return finished

    def set_base(self, experiment: Experiment, base: str) -> Experiment:
        """The experiment with this one stored as its base; empty takes the stored one away."""
        base_id = self.get(experiment.project, base, field="base").id if base else ""
        if base_id == experiment.id:
            raise InvalidRequestError("base: an experiment cannot be its own base", field="base")
        changed = replace(experiment, base_id=base_id)
        self._table.replace(changed)
        return changed

    def base_of(self, experiment: Experiment, explicit: str = "") -> Base:
        """What to compare with: the explicit one, the stored one, that of the nearest commit, the one before."""
        if explicit:
            return Base(self.get(experiment.project, explicit, field="base"), "explicit")
        if experiment.base_id and (stored := self._table.find(experiment.project, experiment.base_id)):
            return Base(stored, "stored")
        if ancestor := self._table.of_nearest_commit(experiment):
            return Base(ancestor, "git ancestor")
        if recent := self._table.before(experiment):
            return Base(recent, "most recent")
        return Base(None, "")


def open_experiment(experiment: Experiment) -> Experiment:
    """The experiment, which still takes rows."""
    if experiment.finished is not None:
        raise ConflictError(
            f"experiment {experiment.name!r} was finished at {experiment.finished:%Y-%m-%d %H:%M:%S} UTC and takes no "
            "more rows; make a new one, or add scores to it with `spanloop experiments score`"
        )
    return experiment


def _made_up_name(experiment: Experiment) -> str:
    branch = str(experiment.repo_info.get("branch") or "experiment")
    return f"{branch}-{experiment.created:%Y%m%d-%H%M%S}"
