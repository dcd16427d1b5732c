"""ExperimentService: experiments made, found, finished, scored again, compared and exported."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from google.protobuf.message import Message
from spanloop.v1 import experiments_pb2 as pb

from spanloop_collector.api.json_codec import parse_json
from spanloop_collector.api.operations import Call
from spanloop_collector.errors import invalid
from spanloop_collector.experiments.door import ExperimentDoor
from spanloop_collector.experiments.export import export
from spanloop_collector.experiments.expressions import expressions
from spanloop_collector.experiments.later_scores import LaterScores
from spanloop_collector.experiments.record import Experiment
from spanloop_collector.experiments.registry import Registry
from spanloop_collector.experiments.table import ExperimentDatabase, ExperimentTable
from spanloop_collector.query.expression import select_of
from spanloop_collector.query.queries import Queries

if TYPE_CHECKING:
    from spanloop_collector.experiments.comparison import Comparer

DEFAULT_LIMIT = 100
MAX_LIMIT = 10_000


class ExperimentOperations:
    """The operations of ExperimentService."""

    def __init__(
        self,
        store: ExperimentDatabase,
        registry: Registry,
        *,
        door: ExperimentDoor,
        later_scores: LaterScores,
        queries: Queries,
        barrier: Callable[[], Awaitable[None]],
        default_project: str,
    ) -> None:
        self._store = store
        self._registry = registry
        self._door = door
        self._later_scores = later_scores
        self._queries = queries
        self._barrier = barrier
        self._default_project = default_project

    @cached_property
    def _comparer(self) -> Comparer:
        # Brings pyarrow, which takes 26 MiB: only a collector that compares pays for it.
        from spanloop_collector.experiments.comparison import Comparer

        return Comparer(self._registry, self._queries)

    async def create_experiment(self, request: pb.CreateExperimentRequest, call: Call) -> pb.CreateExperimentResponse:
        """A new experiment, or an open one to go on with."""
        repo_info = _object(request, "repo_info")
        wanted = Experiment(
            id="",
            project=call.project(request.project, self._default_project),
            name=request.name,
            created=datetime.now(UTC),
            description=request.description,
            dataset_id=request.dataset_id,
            dataset_version=request.dataset_version,
            metadata=_object(request, "metadata"),
            tags=tuple(request.tags),
            commit=str(repo_info.get("commit") or ""),
            ancestors=tuple(str(each) for each in repo_info.pop("ancestors", None) or ()),
            repo_info=repo_info,
        )
        experiment, is_new = await asyncio.to_thread(
            self._registry.create, wanted, base=request.base, update=request.update
        )
        return pb.CreateExperimentResponse(experiment=experiment.message(), is_new=is_new)

    async def list_experiments(self, request: pb.ListExperimentsRequest, call: Call) -> pb.ListExperimentsResponse:
        """The newest experiments."""
        project = call.project(request.project)
        limit = min(request.limit or DEFAULT_LIMIT, MAX_LIMIT)
        found = await asyncio.to_thread(self._registry.newest, project, part=request.name, limit=limit)
        return pb.ListExperimentsResponse(experiments=[experiment.message() for experiment in found])

    async def get_experiment(self, request: pb.GetExperimentRequest, call: Call) -> pb.GetExperimentResponse:
        """One experiment and its base."""
        experiment = await self._find(request, call)
        base = await asyncio.to_thread(self._registry.base_of, experiment, request.base)
        return pb.GetExperimentResponse(
            experiment=experiment.message(),
            base=base.experiment.message() if base.experiment else None,
            base_reason=base.reason,
        )

    async def finish_experiment(self, request: pb.FinishExperimentRequest, call: Call) -> pb.FinishExperimentResponse:
        """The experiment, complete: every row that was acknowledged is in it, and no other will be."""
        experiment = await self._find(request, call)
        finished = await asyncio.to_thread(self._registry.finish, experiment)
        self._door.close(finished.id)
        await self._barrier()
        return pb.FinishExperimentResponse(experiment=finished.message())

    async def set_base_experiment(
        self, request: pb.SetBaseExperimentRequest, call: Call
    ) -> pb.SetBaseExperimentResponse:
        """The experiment with its new base."""
        experiment = await self._find(request, call)
        changed = await asyncio.to_thread(self._registry.set_base, experiment, request.base)
        return pb.SetBaseExperimentResponse(experiment=changed.message())

    async def add_scores(self, request: pb.AddScoresRequest, call: Call) -> pb.AddScoresResponse:
        """How many scores are stored beside those of the run."""
        experiment = await self._find(request, call)
        await self._barrier()
        stored = await asyncio.to_thread(self._later_scores.add, experiment, list(request.scores))
        return pb.AddScoresResponse(stored=stored)

    async def compare_experiments(
        self, request: pb.CompareExperimentsRequest, call: Call
    ) -> pb.CompareExperimentsResponse:
        """The comparison, over everything that was acknowledged."""
        project = call.project(request.project, self._default_project)
        await asyncio.to_thread(self._check_syntax, request)
        await self._barrier()
        return await self._comparer.compare(request, project=project, principal=call.principal)

    async def export_experiment(
        self, request: pb.ExportExperimentRequest, call: Call
    ) -> AsyncIterator[pb.ExportExperimentResponse]:
        """The cases as a file, in pieces that fit a gRPC message."""
        experiment = await self._find(request, call)
        await self._barrier()
        async for piece in export(experiment, request.format, queries=self._queries, principal=call.principal):
            yield pb.ExportExperimentResponse(data=piece)

    def _check_syntax(self, request: pb.CompareExperimentsRequest) -> None:
        """Each expression by itself, so that an error names its field."""
        for field, sql in expressions(request).items():
            select_of(self._store, sql, field=field)

    async def _find(self, request: Any, call: Call) -> Experiment:
        """The experiment that the request names; those of other projects do not exist for the caller."""
        project = call.project(request.project)
        found = await asyncio.to_thread(self._registry.find, project, request.experiment)
        if found is not None:
            return found
        return await asyncio.to_thread(self._registry.get, project or self._default_project, request.experiment)


def experiment_operations(
    store: ExperimentDatabase,
    queries: Queries,
    door: ExperimentDoor | None,
    *,
    barrier: Callable[[], Awaitable[None]],
    default_project: str,
) -> ExperimentOperations:
    """The operations, over the tables of this store; `door` is the one that the intake asks."""
    table = ExperimentTable(store)
    return ExperimentOperations(
        store,
        Registry(table),
        door=door or ExperimentDoor(table.finished_among),
        later_scores=LaterScores(store),
        queries=queries,
        barrier=barrier,
        default_project=default_project,
    )


def _object(request: Message, field: str) -> dict[str, Any]:
    if not request.HasField(field):
        return {}
    try:
        value = parse_json(getattr(request, field))
    except ValueError as error:
        raise invalid(field, f"is not JSON: {error}") from None
    if value is not None and not isinstance(value, dict):
        raise invalid(field, f"expected an object, got {value!r:.100}")
    return value or {}
