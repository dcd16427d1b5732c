"""ScoringService: what workers ask of a collector."""

from __future__ import annotations

import json
from dataclasses import asdict

from spanloop.v1 import scoring_pb2

from spanloop_collector.api.operations import Call
from spanloop_collector.errors import InvalidRequestError
from spanloop_collector.score.dispatcher import Claim, Dispatcher, HandedOut
from spanloop_collector.score.leases import LEASE_SECONDS
from spanloop_collector.score.outcome import FAILED, RETURNED, SCORED, OneScore, Outcome
from spanloop_collector.score.task import Task

MAX_TASKS = 2000
MAX_WAIT_SECONDS = 30.0
MAX_REASON_CHARACTERS = 20_000


class ScoringOperations:
    """The operations of ScoringService."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher

    async def claim_tasks(self, request: scoring_pb2.ClaimTasksRequest, call: Call) -> scoring_pb2.ClaimTasksResponse:
        """Tasks for a worker."""
        if not request.worker:
            raise InvalidRequestError("worker: is empty; give the worker a name of its own", field="worker")
        claim = Claim(request.worker, frozenset(request.modules), call.principal.project)
        tasks = await self._dispatcher.claim(
            claim,
            max_tasks=min(max(request.max_tasks, 1), MAX_TASKS),
            wait_seconds=min(max(request.wait_seconds, 0.0), MAX_WAIT_SECONDS),
        )
        scorers = {id(each.scorer): each.scorer for each in tasks}
        texts = {key: json.dumps(asdict(scorer)) for key, scorer in scorers.items()}
        return scoring_pb2.ClaimTasksResponse(
            tasks=[_task(task, texts[id(task.scorer)]) for task in tasks], lease_seconds=LEASE_SECONDS
        )

    async def extend_tasks(
        self, request: scoring_pb2.ExtendTasksRequest, call: Call
    ) -> scoring_pb2.ExtendTasksResponse:
        """The tasks that the worker still has."""
        return scoring_pb2.ExtendTasksResponse(ids=self._dispatcher.extend(request.worker, request.ids))

    async def complete_tasks(
        self, request: scoring_pb2.CompleteTasksRequest, call: Call
    ) -> scoring_pb2.CompleteTasksResponse:
        """Nothing; the results are stored."""
        outcomes = [
            _outcome(result, self._task_of(result, f"results[{number}]"), f"results[{number}]")
            for number, result in enumerate(request.results)
        ]
        for outcome in outcomes:
            call.principal.require_project(outcome.task.project)
        await self._dispatcher.complete(request.worker, outcomes)
        return scoring_pb2.CompleteTasksResponse()

    def _task_of(self, result: scoring_pb2.TaskResult, path: str) -> Task:
        """The task as it was handed out, here or as its ticket says by another collector."""
        task = self._dispatcher.leased(result.id)
        if task is not None:
            return task
        try:
            task = Task.from_ticket(result.ticket)
        except ValueError as error:
            raise _invalid(f"{path}.ticket", str(error)) from None
        if task.id != result.id:
            raise _invalid(f"{path}.ticket", f"is of task {task.id}, not of {result.id}")
        return task


def _task(handed_out: HandedOut, scorer: str) -> scoring_pb2.ScoringTask:
    task = handed_out.task
    return scoring_pb2.ScoringTask(
        id=task.id,
        ticket=task.ticket(),
        scorer=scorer,
        row=handed_out.row.text,
        attempt=task.attempt,
    )


def _outcome(result: scoring_pb2.TaskResult, task: Task, path: str) -> Outcome:
    if result.status not in (SCORED, FAILED, RETURNED):
        raise _invalid(f"{path}.status", f"expected scored, failed or returned, got {result.status!r:.50}")
    if result.status == FAILED and not result.error:
        raise _invalid(f"{path}.error", "a failure needs its reason")
    return Outcome(
        task=task,
        status=result.status,
        scores=[_score(score, f"{path}.scores[{number}]") for number, score in enumerate(result.scores)],
        error=result.error[:MAX_REASON_CHARACTERS],
        is_retryable=result.is_retryable,
        retry_after_seconds=result.retry_after_seconds,
        duration_seconds=result.duration_seconds,
        cost=result.cost,
        scorer_version=result.scorer_version,
        model=result.model,
        tokens=(result.prompt_tokens, result.completion_tokens),
    )


def _score(score: scoring_pb2.TaskScore, path: str) -> OneScore:
    if not score.name:
        raise _invalid(f"{path}.name", "is empty")
    number = score.score if score.HasField("score") else None
    if number is not None and not 0 <= number <= 1:
        raise _invalid(f"{path}.score", f"expected a number from 0 to 1, got {number}")
    metadata = score.metadata if score.HasField("metadata") and score.metadata not in ("null", "{}") else ""
    return OneScore(score.name, number, score.reason[:MAX_REASON_CHARACTERS], metadata)


def _invalid(path: str, message: str) -> InvalidRequestError:
    return InvalidRequestError(f"{path}: {message}", field=path)
