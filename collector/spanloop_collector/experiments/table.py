"""Experiments in ClickHouse. Calls block: use them in a thread."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any, Protocol

from clickhouse_connect.driver.client import Client

from spanloop_collector.api.json_codec import write_json
from spanloop_collector.experiments.record import Experiment

TABLE = "experiment_versions"
COLUMNS = (
    "project",
    "id",
    "name",
    "description",
    "created",
    "finished",
    "base_id",
    "dataset_id",
    "dataset_version",
    "metadata",
    "tags",
    "repo_info",
    "commit",
    "ancestors",
    "version",
)

READ = """
SELECT project, id, name, description, toUnixTimestamp64Micro(created), toUnixTimestamp64Micro(finished), base_id,
    dataset_id, dataset_version, metadata, tags, repo_info, commit, ancestors
FROM {database:Identifier}.experiments
"""
BY_ID = READ + "WHERE ({project:String} = '' OR project = {project:String}) AND id = {id:String}"
BY_NAME = READ + "WHERE project = {project:String} AND name = {name:String} ORDER BY created, id"
NEWEST = (
    READ + "WHERE ({project:String} = '' OR project = {project:String}) "
    "AND positionCaseInsensitive(name, {part:String}) > 0 ORDER BY created DESC, id LIMIT {limit:UInt64}"
)
# Experiments of one eval have its name, made unique by a number: those of others hold none of its cases.
IS_OF_OTHER = r"replaceRegexpOne(name, '-\\d+$', '') != replaceRegexpOne({name:String}, '-\\d+$', '')"
BY_COMMIT = (
    READ + "WHERE project = {project:String} AND id != {id:String} AND commit IN {commits:Array(String)} "
    "AND created < fromUnixTimestamp64Micro({before:Int64}) "
    f"ORDER BY {IS_OF_OTHER}, indexOf({{commits:Array(String)}}, commit), finished IS NULL, created DESC LIMIT 1"
)
FINISHED = """
SELECT id FROM {database:Identifier}.experiments WHERE id IN {ids:Array(String)} AND finished IS NOT NULL
"""
BEFORE = (
    READ
    + "WHERE project = {project:String} AND id != {id:String} AND created < fromUnixTimestamp64Micro({before:Int64}) "
    f"ORDER BY {IS_OF_OTHER}, finished IS NULL, created DESC LIMIT 1"
)


class ExperimentDatabase(Protocol):
    """The store, as far as experiments need it."""

    @property
    def database(self) -> str: ...

    def query(self, sql: str, parameters: dict[str, Any] | None = None) -> Any: ...

    def client(self) -> AbstractContextManager[Client]: ...


class ExperimentTable:
    """The table `experiment_versions`."""

    def __init__(self, store: ExperimentDatabase) -> None:
        self._store = store

    def find(self, project: str, id: str) -> Experiment | None:
        """The experiment with this id; an empty project looks in all."""
        return self._one(BY_ID, project=project, id=id)

    def named(self, project: str, name: str) -> Experiment | None:
        """The experiment of this name, the first where two collectors made one at the same instant."""
        return self._one(BY_NAME, project=project, name=name)

    def newest(self, project: str, *, part: str, limit: int) -> list[Experiment]:
        """Experiments whose name contains `part`, the newest first."""
        return self._read(NEWEST, project=project, part=part, limit=limit)

    def finished_among(self, ids: set[str]) -> set[str]:
        """Those of these ids whose experiment is finished."""
        result = self._store.query(FINISHED, {"database": self._store.database, "ids": sorted(ids)})
        return {str(row[0]) for row in result.result_rows}

    def before(self, experiment: Experiment) -> Experiment | None:
        """The most recent experiment before this one: those of the same eval first, then finished ones."""
        return self._one(BEFORE, **_place(experiment))

    def of_nearest_commit(self, experiment: Experiment) -> Experiment | None:
        """The experiment run on the same commit or its nearest ancestor, those of the same eval first."""
        commits = [commit for commit in (experiment.commit, *experiment.ancestors) if commit]
        return self._one(BY_COMMIT, **_place(experiment), commits=commits) if commits else None

    def add(self, experiment: Experiment) -> bool:
        """Stores a new experiment unless its name is taken; False when it is.

        Of two collectors that try the same name at once, ClickHouse keeps the first: both inserts have one token.
        """
        if self.named(experiment.project, experiment.name) is not None:
            return False
        name = hashlib.sha256(f"{experiment.project}\0{experiment.name}".encode()).hexdigest()
        self._write(experiment, token=f"experiment-name:{name}")
        kept = self.named(experiment.project, experiment.name)
        return kept is not None and kept.id == experiment.id

    def replace(self, experiment: Experiment) -> None:
        """Stores a newer version."""
        self._write(experiment, token=f"experiment:{experiment.id}:{time.time_ns()}")

    def _write(self, experiment: Experiment, *, token: str) -> None:
        row = (
            experiment.project,
            experiment.id,
            experiment.name,
            experiment.description,
            experiment.created,
            experiment.finished,
            experiment.base_id,
            experiment.dataset_id,
            experiment.dataset_version,
            write_json(dict(experiment.metadata)),
            list(experiment.tags),
            write_json(dict(experiment.repo_info)),
            experiment.commit,
            list(experiment.ancestors),
            time.time_ns(),
        )
        with self._store.client() as client:
            client.insert(
                TABLE,
                [row],
                column_names=COLUMNS,
                database=self._store.database,
                settings={"insert_deduplication_token": token},
            )

    def _one(self, sql: str, **parameters: Any) -> Experiment | None:
        found = self._read(sql, **parameters)
        return found[0] if found else None

    def _read(self, sql: str, **parameters: Any) -> list[Experiment]:
        result = self._store.query(sql, {"database": self._store.database, **parameters})
        return [_experiment(row) for row in result.result_rows]


def _place(experiment: Experiment) -> dict[str, Any]:
    return {
        "project": experiment.project,
        "id": experiment.id,
        "name": experiment.name,
        "before": round(experiment.created.timestamp() * 1_000_000),
    }


def _experiment(row: Sequence[Any]) -> Experiment:
    project, id, name, description, created, finished, base_id, dataset_id, version, metadata, tags, repo, *git = row
    return Experiment(
        id=id,
        project=project,
        name=name,
        created=_time(created),
        description=description,
        finished=_time(finished) if finished is not None else None,
        base_id=base_id,
        dataset_id=dataset_id,
        dataset_version=version,
        metadata=_object(metadata),
        tags=tuple(tags),
        repo_info=_object(repo),
        commit=git[0],
        ancestors=tuple(git[1]),
    )


def _time(microseconds: int) -> datetime:
    return datetime.fromtimestamp(microseconds / 1_000_000, UTC)


def _object(text: str) -> Mapping[str, Any]:
    value = json.loads(text) if text else {}
    return value if isinstance(value, dict) else {}
