"""VariantService: experiments with a baseline and variants, made and run."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from spanloop.v1 import variants_pb2

from spanloop_collector.api.json_codec import parse_json
from spanloop_collector.api.operations import Call
from spanloop_collector.errors import ConflictError, invalid
from spanloop_collector.query.queries import Queries
from spanloop_collector.store.changes import Actor
from spanloop_collector.store.store import Store
from spanloop_collector.variants.answers import experiment_message
from spanloop_collector.variants.begin import settle, start_run
from spanloop_collector.variants.experiment import (
    BASELINE,
    Variant,
    VariantExperiment,
    add_variant,
    archive,
    check_steps,
    complete,
    is_name,
    start_baseline,
    start_variant,
    with_tasks,
)
from spanloop_collector.variants.run import Task, Test, Verdict
from spanloop_collector.variants.table import VariantTable
from spanloop_collector.variants.tasks import MAX_TASKS, read_tasks, select_tasks
from spanloop_collector.variants.verdicts import read_verdicts
from spanloop_collector.webhooks.address import without_path
from spanloop_collector.webhooks.targets import Targets, choose_target, target_owner

DEFAULT_TIMEOUT_SECONDS = 300.0
MAX_TIMEOUT_SECONDS = 24 * 3600.0
DEFAULT_AT_ONCE = 4
MAX_AT_ONCE = 1000
DEFAULT_TASKS = 100

Change = Callable[[VariantExperiment], VariantExperiment]


class VariantOperations:
    """The operations of VariantService."""

    def __init__(
        self,
        store: Store,
        table: VariantTable,
        *,
        statements: Queries,
        default_project: str,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._table = table
        self._targets = Targets(store)
        self._statements = statements
        self._default_project = default_project
        self._now = now

    async def create_variant_experiment(
        self, request: variants_pb2.CreateVariantExperimentRequest, call: Call
    ) -> variants_pb2.CreateVariantExperimentResponse:
        """A new experiment, in draft; its condition is run once before."""
        project = call.project(request.project, self._default_project)
        experiment = _read_experiment(request)
        test = Test("none.0", "none")
        tasks = {"none": Task("none", None)}
        await read_verdicts(self._statements, project, request.pass_when, [test], tasks, since=self._now())
        owner = target_owner("variants", project, request.name)
        known = await asyncio.to_thread(self._targets.find, owner)
        target, new_secret = choose_target(known, request.url, request.secret, field="url")
        experiment = replace(experiment, target=without_path(target.url))
        if not await asyncio.to_thread(self._table.create, project, experiment, _actor(request.actor, call)):
            experiment = _same(await asyncio.to_thread(self._table.find, project, request.name), experiment)
        if target != known:
            await asyncio.to_thread(self._targets.write, owner, target)
        return variants_pb2.CreateVariantExperimentResponse(
            experiment=experiment_message(project, experiment), secret=new_secret
        )

    async def list_variant_experiments(
        self, request: variants_pb2.ListVariantExperimentsRequest, call: Call
    ) -> variants_pb2.ListVariantExperimentsResponse:
        """The experiments of a project."""
        project = call.project(request.project, self._default_project)
        found = await asyncio.to_thread(self._table.all, project)
        return variants_pb2.ListVariantExperimentsResponse(
            experiments=[experiment_message(project, each) for each in found]
        )

    async def get_variant_experiment(
        self, request: variants_pb2.GetVariantExperimentRequest, call: Call
    ) -> variants_pb2.VariantExperiment:
        """One experiment with its variants and their outcomes."""
        project = call.project(request.project, self._default_project)
        return experiment_message(project, await asyncio.to_thread(self._table.find, project, request.name))

    async def set_variant_tasks(
        self, request: variants_pb2.SetVariantTasksRequest, call: Call
    ) -> variants_pb2.VariantExperiment:
        """The experiment with these tasks; they are copied, and stay as they are now."""
        project = call.project(request.project, self._default_project)
        actor = _actor(request.actor, call)
        if request.tasks:
            tasks = read_tasks(request.tasks)
        else:
            tasks = await select_tasks(
                self._statements,
                call.principal,
                project,
                source=request.source or "dataset_rows",
                where=request.where,
                limit=_within(request.limit, "limit", default=DEFAULT_TASKS, most=MAX_TASKS),
            )
        # Refuses a locked experiment before anything is written.
        with_tasks(await asyncio.to_thread(self._table.find, project, request.name), "", len(tasks))
        tasks_id = await asyncio.to_thread(self._table.add_tasks, project, tasks, actor)
        return await self._change(
            project, request.name, "tasks set", actor, lambda each: with_tasks(each, tasks_id, len(tasks))
        )

    async def run_baseline(
        self, request: variants_pb2.RunBaselineRequest, call: Call
    ) -> variants_pb2.VariantExperiment:
        """The experiment while its baseline runs."""
        project = call.project(request.project, self._default_project)
        configuration = parse_json(request.configuration) if request.HasField("configuration") else {}
        if not isinstance(configuration, dict) or not all(isinstance(each, dict) for each in configuration.values()):
            raise invalid("configuration", 'expected an object of step → parameters, such as {"writer": {}}')
        return await self._run(
            project,
            request.name,
            BASELINE,
            lambda each, run_id: start_baseline(each, configuration, run_id),
            _actor(request.actor, call),
        )

    async def add_variant(self, request: variants_pb2.AddVariantRequest, call: Call) -> variants_pb2.VariantExperiment:
        """The experiment with one more variant."""
        project = call.project(request.project, self._default_project)
        if not request.HasField("value"):
            raise invalid("value", "say which value the parameter takes")
        variant = Variant(
            parent=request.parent or BASELINE,
            step=request.step,
            parameter=request.parameter,
            value=parse_json(request.value),
        )
        return await self._change(
            project,
            request.name,
            "variant added",
            _actor(request.actor, call),
            lambda each: add_variant(each, request.variant, variant),
        )

    async def run_variant(self, request: variants_pb2.RunVariantRequest, call: Call) -> variants_pb2.VariantExperiment:
        """The experiment while a variant runs."""
        project = call.project(request.project, self._default_project)
        return await self._run(
            project,
            request.name,
            request.variant,
            lambda each, run_id: start_variant(each, request.variant, run_id),
            _actor(request.actor, call),
        )

    async def report_test(self, request: variants_pb2.ReportTestRequest, call: Call) -> variants_pb2.ReportTestResponse:
        """The verdict of the application itself."""
        project = call.project(request.project, self._default_project)
        verdict = Verdict(request.test_id, request.passed, request.reason)
        status = await asyncio.to_thread(settle, self._table, project, verdict)
        return variants_pb2.ReportTestResponse(status=status)

    async def complete_variant_experiment(
        self, request: variants_pb2.CompleteVariantExperimentRequest, call: Call
    ) -> variants_pb2.VariantExperiment:
        """The experiment, ended for good."""
        project = call.project(request.project, self._default_project)
        return await self._change(project, request.name, "completed", _actor(request.actor, call), complete)

    async def archive_variant_experiment(
        self, request: variants_pb2.ArchiveVariantExperimentRequest, call: Call
    ) -> variants_pb2.VariantExperiment:
        """The experiment, put away."""
        project = call.project(request.project, self._default_project)
        return await self._change(project, request.name, "archived", _actor(request.actor, call), archive)

    async def _change(
        self, project: str, name: str, action: str, actor: Actor, change: Change
    ) -> variants_pb2.VariantExperiment:
        return experiment_message(
            project, await asyncio.to_thread(self._table.change, project, name, action, actor, change)
        )

    async def _run(
        self,
        project: str,
        name: str,
        variant: str,
        start: Callable[[VariantExperiment, str], VariantExperiment],
        actor: Actor,
    ) -> variants_pb2.VariantExperiment:
        begin = partial(start_run, self._table, project, name, variant, start, actor, now=self._now())
        return experiment_message(project, await asyncio.to_thread(begin))


def _read_experiment(request: variants_pb2.CreateVariantExperimentRequest) -> VariantExperiment:
    if not is_name(request.name):
        raise invalid("name", f"expected up to 200 characters without a slash, got {request.name!r:.100}")
    check_steps(tuple(request.steps))
    timeout = request.timeout_seconds or DEFAULT_TIMEOUT_SECONDS
    if not 1 <= timeout <= MAX_TIMEOUT_SECONDS:
        raise invalid("timeout_seconds", f"expected seconds from 1 to {MAX_TIMEOUT_SECONDS:g}, got {timeout:g}")
    return VariantExperiment(
        name=request.name,
        description=request.description,
        steps=tuple(request.steps),
        pass_when=request.pass_when,
        timeout_seconds=timeout,
        max_at_once=_within(request.max_at_once, "max_at_once", default=DEFAULT_AT_ONCE, most=MAX_AT_ONCE),
    )


def _same(known: VariantExperiment, asked: VariantExperiment) -> VariantExperiment:
    """The experiment that exists, where it is the one that was asked for."""
    for name in ("description", "steps", "pass_when", "timeout_seconds", "max_at_once"):
        if getattr(known, name) != getattr(asked, name):
            raise ConflictError(f"there is another variant experiment {known.name!r}: its {name} is different")
    return known


def _within(number: int, field: str, *, default: int, most: int) -> int:
    if not 0 <= number <= most:
        raise invalid(field, f"expected a number up to {most}, got {number}")
    return number or default


def _actor(name: str, call: Call) -> Actor:
    return Actor(name[:200] or call.principal.key_id or "anonymous", call.principal.key_id)
