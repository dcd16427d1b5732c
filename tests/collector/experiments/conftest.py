"""Experiments over both kinds of ClickHouse."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from google.protobuf.message import Message
from spanloop.v1 import experiments_pb2 as pb
from spanloop_collector.api.json_codec import decode, encode, parse_json
from spanloop_collector.api.operations import Call
from spanloop_collector.experiments.door import ExperimentDoor
from spanloop_collector.experiments.operations import ExperimentOperations, experiment_operations
from spanloop_collector.experiments.table import ExperimentTable
from spanloop_collector.keys.principal import Principal, Scope
from spanloop_collector.query.queries import Queries
from spanloop_collector.settings import QuerySettings
from spanloop_collector.store import Store


@dataclass
class Experiments:
    """The operations as JSON, for a caller of one project or of all."""

    operations: ExperimentOperations
    door: ExperimentDoor
    store: Store
    queries: Queries
    caller: Principal

    async def create(self, name: str = "", **fields: Any) -> dict[str, Any]:
        """The new experiment."""
        message = _message(pb.CreateExperimentRequest, {"project": "p", "name": name, **fields})
        answer = await self.operations.create_experiment(message, Call(self.caller))
        return _shown(answer.experiment)

    async def get(self, experiment: str, **fields: Any) -> dict[str, Any]:
        """The experiment and its base."""
        message = _message(pb.GetExperimentRequest, {"experiment": experiment, "project": "p", **fields})
        return _shown(await self.operations.get_experiment(message, Call(self.caller)))

    async def finish(self, experiment: str) -> dict[str, Any]:
        """The finished experiment."""
        message = pb.FinishExperimentRequest(experiment=experiment, project="p")
        answer = await self.operations.finish_experiment(message, Call(self.caller))
        return _shown(answer.experiment)

    async def compare(self, *experiments: str, **fields: Any) -> dict[str, Any]:
        """The comparison."""
        message = _message(pb.CompareExperimentsRequest, {"project": "p", "experiments": list(experiments), **fields})
        return _shown(await self.operations.compare_experiments(message, Call(self.caller)))

    async def add_scores(self, experiment: str, *scores: dict[str, Any]) -> int:
        """How many were stored."""
        message = _message(pb.AddScoresRequest, {"project": "p", "experiment": experiment, "scores": list(scores)})
        return (await self.operations.add_scores(message, Call(self.caller))).stored

    async def export(self, experiment: str, format: str) -> bytes:
        """The file."""
        message = pb.ExportExperimentRequest(experiment=experiment, project="p", format=format)
        return b"".join([each.data async for each in self.operations.export_experiment(message, Call(self.caller))])

    async def sql(self, statement: str) -> list[dict[str, Any]]:
        """Rows of a statement from outside."""
        result = await self.queries.run(statement, principal=self.caller, default_format="JSONEachRow")
        return [json.loads(line) for line in result.data.splitlines()]

    def of_project(self, project: str) -> Experiments:
        """The same for the holder of a project's key."""
        caller = Principal("k", project, frozenset({Scope.READ, Scope.INGEST}))
        return Experiments(self.operations, self.door, self.store, self.queries, caller)


def _shown(message: Message) -> dict[str, Any]:
    answer: dict[str, Any] = parse_json(encode(message))
    return answer


def _message(kind: type[Any], value: dict[str, Any]) -> Any:
    message = kind()
    assert decode(message, value) == []
    return message


@pytest.fixture
async def experiments(store: Store) -> AsyncIterator[Experiments]:
    """The operations over an empty store, once embedded and once on a server."""
    queries = Queries(store, QuerySettings())
    door = ExperimentDoor(ExperimentTable(store).finished_among)

    async def barrier() -> None:
        """Rows are written at once here."""

    operations = experiment_operations(store, queries, door, barrier=barrier, default_project="default")
    yield Experiments(operations, door, store, queries, Principal.anonymous())
    await queries.close()
