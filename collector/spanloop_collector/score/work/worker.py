"""The worker: takes as many tasks as it can hold, reports what became of them, keeps its leases."""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import os
import socket
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from spanloop._api import ApiClient as KeptOpenClient
from spanloop._api import ApiError
from spanloop.scoring.child import module_name

from spanloop_collector.client import ApiClient, local_admin_key
from spanloop_collector.score.rule import LIBRARIES
from spanloop_collector.score.work.pool import ScorerPool
from spanloop_collector.score.work.traces import read_spans
from spanloop_collector.score.work.work_task import WorkTask, failure, result, scorer_of

CLAIM_WAIT_SECONDS = 2.0
GATHER_SECONDS = 0.02
RETRY_SECONDS = 1.0
DRAIN_SECONDS = 20.0
REFUSED_STATUS = frozenset({400, 413, 422})

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """Where a worker works, and how much of it at once."""

    api_url: str
    api_key: str | None = None
    modules: Sequence[str] = ()
    """Modules and files whose functions rules may name."""
    max_tasks: int = 4000
    """Tasks in memory at once. Claimed in parts, so that some are scored and stored while others are read."""
    name: str = ""
    """What nobody else is called; empty: made of host and process."""


class Worker:
    """One worker process."""

    def __init__(self, options: WorkerOptions) -> None:
        self.name = options.name or f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:6]}"
        self._options = options
        self._key = options.api_key or local_admin_key()
        # Each carries one request at a time, and a claim may wait for long.
        self._claims, self._reports, self._leases = (
            KeptOpenClient(options.api_url, api_key=self._key) for _ in range(3)
        )
        self._queries = ApiClient(options.api_url, key=self._key)
        self._capabilities = [module_name(each) for each in options.modules]
        self._capabilities += [name for name in LIBRARIES if importlib.util.find_spec(name) is not None]
        self._pools: dict[str, ScorerPool] = {}
        self._held: dict[str, WorkTask] = {}
        self._results: list[dict[str, Any]] = []
        self._has_results = asyncio.Event()
        self._has_room = asyncio.Event()
        self._lease_seconds = 30.0

    async def run(self, stop: asyncio.Event) -> None:
        """Works until `stop` is set, then finishes what is under way and gives the rest back."""
        background = [asyncio.create_task(each) for each in (self._report(), self._keep_leases())]
        claiming = asyncio.create_task(self._claim())
        await stop.wait()
        await _cancel(claiming)
        for pool in self._pools.values():
            pool.give_back()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._drained(), DRAIN_SECONDS)
        for pool in self._pools.values():
            await pool.close()
        for task in list(self._held.values()):
            self._take_result(result(task, "returned"))
        with suppress(TimeoutError):
            await asyncio.wait_for(self._drained(), RETRY_SECONDS * 2)
        for each in background:
            await _cancel(each)
        for client in (self._claims, self._reports, self._leases):
            client.close()

    async def _claim(self) -> None:
        while True:
            free = self._options.max_tasks - len(self._held)
            part = max(self._options.max_tasks // 4, 1)
            if free < part:
                self._has_room.clear()
                await self._has_room.wait()
                continue
            request = {
                "worker": self.name,
                "max_tasks": part,
                "wait_seconds": CLAIM_WAIT_SECONDS,
                "modules": self._capabilities,
            }
            try:
                answer = await asyncio.to_thread(self._claims.post, "/v1/scoring/claim", request)
            except ApiError as error:
                logger.warning("score: no tasks reason=%s", error)
                await asyncio.sleep(RETRY_SECONDS)
                continue
            self._lease_seconds = answer["lease_seconds"]
            for task in answer["tasks"]:
                self._begin(WorkTask(task["id"], task["ticket"], task["scorer"], task["row"]))

    def _begin(self, task: WorkTask) -> None:
        self._held[task.id] = task
        pool = self._pools.get(task.scorer)
        if pool is None:
            pool = self._pools[task.scorer] = ScorerPool(
                scorer_of(task), modules=self._options.modules, report=self._take_result, read_trace=self._read_trace
            )
        pool.submit(task)

    def _take_result(self, result: dict[str, Any]) -> None:
        # A task whose lease was lost is somebody else's now.
        if result["id"] in self._held:
            self._results.append(result)
            self._has_results.set()

    async def _report(self) -> None:
        while True:
            await self._has_results.wait()
            # Stored together they cost what one costs.
            await asyncio.sleep(GATHER_SECONDS)
            self._has_results.clear()
            batch, self._results = self._results, []
            await self._hand_in(batch)

    async def _hand_in(self, batch: list[dict[str, Any]]) -> None:
        """Reports results until the collector has them; one that it refuses costs itself only."""
        while batch := [each for each in batch if each["id"] in self._held]:
            request = {"worker": self.name, "results": batch}
            try:
                await asyncio.to_thread(self._reports.post, "/v1/scoring/complete", request, is_idempotent=True)
            except ApiError as error:
                if error.status in REFUSED_STATUS and len(batch) > 1:
                    for each in batch:
                        await self._hand_in([each])
                    return
                if error.status in REFUSED_STATUS and batch[0]["status"] == "scored":
                    batch = [failure(self._held[batch[0]["id"]], f"refused: {error}", is_retryable=False)]
                    continue
                logger.warning("score: results are reported later reason=%s", error)
                await asyncio.sleep(RETRY_SECONDS)
                continue
            for each in batch:
                self._held.pop(each["id"], None)
            self._has_room.set()
            return

    async def _keep_leases(self) -> None:
        while True:
            await asyncio.sleep(self._lease_seconds / 3)
            if not self._held:
                continue
            asked = list(self._held)
            try:
                answer = await asyncio.to_thread(
                    self._leases.post, "/v1/scoring/extend", {"worker": self.name, "ids": asked}, is_idempotent=True
                )
            except ApiError as error:
                logger.warning("score: leases are not extended reason=%s", error)
                continue
            for id in set(asked) - set(answer["ids"]):
                if self._held.pop(id, None) is not None:
                    logger.warning("score: a task went to another worker id=%s", id)
            self._has_room.set()

    async def _read_trace(self, task: WorkTask) -> bytes:
        return await asyncio.to_thread(read_spans, self._queries, task.row)

    async def _drained(self) -> None:
        while self._held:
            self._has_room.clear()
            await self._has_room.wait()


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
