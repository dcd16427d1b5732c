"""Whoever hangs up on a look at many rows ends it in ClickHouse; what writes goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from google.protobuf.message import Message
from spanloop.v1 import promote_pb2, promote_pb2_grpc, rules_pb2, rules_pb2_grpc
from spanloop_collector.api.waiting import finished

from tests.collector.api.conftest import Api
from tests.support.waiting import wait_until

# Two days old, so that a filter which is tried on recent rows finds none; so wide that a block is a few of them, after
# which a statement can be ended.
ROWS = """
INSERT INTO {database}.spans (project, created, end_time, trace_id, span_id, id, type, metrics, input)
SELECT 'default', now64(9) - 172800 AS created, created + 1, hex(number), leftPad(hex(number), 16, '0') AS span, span,
    'llm', map('end', toFloat64(toUnixTimestamp(created))), repeat(randomPrintableASCII(100), 400)
FROM numbers(1000)
"""
# Some hundredths of a second a row: without an end these take a good while.
SLOW = "arrayExists(n -> editDistance(substring(input, n, 700), substring(input, 3050, 700)) = 1, range(1, 30))"

BACK_TEST: dict[str, Any] = {
    "rule": {"project": "default", "name": "slow", "filter": SLOW, "sampling_rate": 1, "scorers": [{"use": "is_json"}]},
    "hours": 72,
}
PREVIEW: dict[str, Any] = {"project": "default", "dataset": "d", "where": SLOW, "dry_run": True}


def over_http(path: str, body: dict[str, Any]) -> Callable[[Api], Awaitable[object]]:
    return lambda api: api.http.post(path, json=body, timeout=60)


def over_grpc(stub: Any, method: str, message: Message, body: dict[str, Any]) -> Callable[[Api], Awaitable[object]]:
    async def ask(api: Api) -> object:
        answer: object = await getattr(stub(api.grpc), method)(ParseDict(body, message))
        return answer

    return ask


LOOKS = {
    "back-test-http": over_http("/v1/scoring-rules/test", BACK_TEST),
    "back-test-grpc": over_grpc(
        rules_pb2_grpc.ScoringRuleServiceStub, "TestScoringRule", rules_pb2.TestScoringRuleRequest(), BACK_TEST
    ),
    "preview-http": over_http("/v1/promote", PREVIEW),
    "preview-grpc": over_grpc(promote_pb2_grpc.PromoteServiceStub, "Promote", promote_pb2.PromoteRequest(), PREVIEW),
}


async def test_a_back_test_and_a_preview_end_with_their_callers(api: Api) -> None:
    def is_running() -> bool:
        asked = "SELECT query FROM system.processes WHERE query LIKE '/* run %'"
        return any("editDistance" in sql for sql in api.store.column(asked))

    await asyncio.to_thread(api.store.command, ROWS.format(database=api.store.database))
    for name, look in LOOKS.items():
        asking = asyncio.ensure_future(look(api))
        await asyncio.to_thread(wait_until, is_running, what=f"{name}: the statement in ClickHouse")
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await asyncio.to_thread(wait_until, lambda: not is_running(), what=f"{name}: the end of it")


async def test_what_is_to_be_finished_goes_on_without_its_caller() -> None:
    began, may_end, has_ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def write() -> None:
        began.set()
        await may_end.wait()
        has_ended.set()

    caller = asyncio.create_task(finished(write()))
    await began.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    may_end.set()
    await asyncio.wait_for(has_ended.wait(), 10)
