"""Moves runs forward: sends tests, reads verdicts, ends runs. Any number of collectors may do so at once.

A run's next version is made by one of them; a test is sent under its own id, so that two sends are one message.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from clickhouse_connect.driver.exceptions import Error

from spanloop_collector.errors import InvalidRequestError, NotFoundError, StoreUnavailableError
from spanloop_collector.query.queries import Queries
from spanloop_collector.store.changes import Actor
from spanloop_collector.store.rounds import keep_doing
from spanloop_collector.store.store import Store
from spanloop_collector.variants.experiment import VariantExperiment, finish_run
from spanloop_collector.variants.run import FINISHED, Run, Task, Test, Verdict, advance
from spanloop_collector.variants.table import VariantTable
from spanloop_collector.variants.verdicts import read_verdicts
from spanloop_collector.webhooks.outbox import VARIANT, Message, Outbox, json_body
from spanloop_collector.webhooks.targets import target_owner

LOOK_EVERY_SECONDS = 0.25
"""While something runs."""
ABANDONED_AFTER_SECONDS = 60.0
"""A run that its experiment does not know after so long was never begun."""

COLLECTOR = Actor("collector")

READ_DELIVERIES = """
SELECT id, status, error FROM {database:Identifier}.webhook_deliveries
WHERE project = {project:String} AND id IN {ids:Array(String)}
"""

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class VariantRunner:
    """Runs variants until cancelled."""

    store: Store
    table: VariantTable
    statements: Queries
    outbox: Outbox
    now: Callable[[], float] = time.time

    async def run(self) -> None:
        """Looks for runs that are under way, and moves each."""
        with self.store.bells.listen("variant_runs") as bell:
            await keep_doing("variants", self._round, bell, rest_seconds=LOOK_EVERY_SECONDS)

    async def _round(self) -> float | None:
        running = await asyncio.to_thread(self.table.running)
        for project, run_id in running:
            await self._step_quietly(project, run_id)
        return LOOK_EVERY_SECONDS if running else None

    async def step(self, project: str, run_id: str) -> None:
        """Moves one run as far as it can go now."""
        found = await asyncio.to_thread(self.table.find_run, project, run_id)
        if found is None or found[1].status == FINISHED:
            return
        version, run = found
        experiment = await asyncio.to_thread(self._experiment_of, project, run)
        if experiment is None:
            await asyncio.to_thread(self._abandon, project, version, run)
            return
        tasks = {task.id: task for task in await asyncio.to_thread(self.table.tasks, project, experiment.tasks_id)}
        deliveries = await asyncio.to_thread(self._deliveries, project, run)
        verdicts = await self._verdicts(project, experiment, run, tasks)
        verdicts += [
            Verdict(test_id, False, f"it could not be delivered: {error}", was_executed=False)
            for test_id, (status, error) in deliveries.items()
            if status == "failed"
        ]
        after = advance(
            run,
            verdicts,
            now=self.now(),
            max_at_once=experiment.max_at_once,
            timeout_seconds=experiment.timeout_seconds,
        )
        if not await asyncio.to_thread(self._keep, project, version, run, after):
            return
        # Also those that a collector marked as sent just before it died.
        unsent = [test for test in after.sent() if test.id not in deliveries]
        await asyncio.to_thread(self._send, project, experiment, after, unsent, tasks)
        if unsent:
            self.outbox.wake()

    def _experiment_of(self, project: str, run: Run) -> VariantExperiment | None:
        """The experiment that has this run under way."""
        try:
            experiment = self.table.find(project, run.experiment)
        except NotFoundError:
            return None
        variant = experiment.variants.get(run.variant)
        return experiment if variant is not None and variant.run_id == run.id else None

    def _abandon(self, project: str, version: int, run: Run) -> None:
        if self.now() - run.started > ABANDONED_AFTER_SECONDS:
            self.table.keep_run(project, version + 1, replace(run, status=FINISHED), COLLECTOR)

    def _deliveries(self, project: str, run: Run) -> dict[str, tuple[str, str]]:
        """Status and error of the messages of the tests whose verdict is awaited."""
        ids = [message_id(test) for test in run.sent()]
        parameters = {"database": self.store.database, "project": project, "ids": ids}
        rows = self.store.query(READ_DELIVERIES, parameters).result_rows if ids else []
        return {row[0].removeprefix("msg_"): (row[1], row[2]) for row in rows}

    async def _verdicts(
        self, project: str, experiment: VariantExperiment, run: Run, tasks: dict[str, Task]
    ) -> list[Verdict]:
        sent = run.sent()
        if not sent:
            return []
        try:
            return await read_verdicts(self.statements, project, experiment.pass_when, sent, tasks, since=run.started)
        except InvalidRequestError as error:
            # It ran when it was saved; until it runs again, tests wait and are late in the end.
            logger.warning("variants: no verdicts experiment=%s reason=%s", experiment.name, error)
            return []

    def _keep(self, project: str, version: int, run: Run, after: Run) -> bool:
        """Keeps what became of the run; False when another collector was faster."""
        if after == run:
            return True
        if after.status == FINISHED:
            # The experiment comes first: a run that is kept as finished is not looked at again.
            was_executed = any(test.was_executed for test in after.tests)
            self.table.change(
                project,
                run.experiment,
                "finished",
                COLLECTOR,
                lambda each: finish_run(each, run.variant, run.id, after.outcome(), was_executed=was_executed),
            )
        return self.table.keep_run(project, version + 1, after, COLLECTOR)

    def _send(
        self, project: str, experiment: VariantExperiment, run: Run, tests: list[Test], tasks: dict[str, Task]
    ) -> None:
        for test in tests:
            message = Message(
                topic=VARIANT,
                name=experiment.name,
                event="test",
                owner=target_owner("variants", project, experiment.name),
                target=experiment.target,
                about=json_body({"variant": run.variant, "task": test.task_id}),
                body=body_of(experiment, run, test, tasks[test.task_id], now=self.now()),
                timeout_seconds=experiment.timeout_seconds,
            )
            self.outbox.add(project, message_id(test), message)

    async def _step_quietly(self, project: str, run_id: str) -> None:
        try:
            await self.step(project, run_id)
        except (Error, StoreUnavailableError) as error:
            logger.debug("variants: will look again run=%s reason=%s", run_id, error)
        except Exception:
            # A fault of ours with one run is no reason to stop the others.
            logger.exception("variants: unexpected error run=%s", run_id)


def message_id(test: Test) -> str:
    """The id of a test's message."""
    return f"msg_{test.id}"


def body_of(experiment: VariantExperiment, run: Run, test: Test, task: Task, *, now: float) -> str:
    """What the application gets: the task, and the parameters to use for it."""
    return json_body(
        {
            "type": "test.run",
            "timestamp": datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds"),
            "testId": test.id,
            "task": {"id": task.id, "input": task.input, "metadata": task.metadata},
            "experiment": {"name": experiment.name, "variant": run.variant, "overrides": run.overrides or {}},
        }
    )
