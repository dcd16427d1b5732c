"""Experiments with variants through the API, their runs moved by hand."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import pytest
from spanloop.v1 import variants_pb2, variants_pb2_grpc
from spanloop_collector.keys.principal import Scope
from spanloop_collector.query.queries import Queries
from spanloop_collector.settings import QuerySettings
from spanloop_collector.store import Store
from spanloop_collector.variants.runner import VariantRunner
from spanloop_collector.variants.table import VariantTable
from spanloop_collector.webhooks.outbox import VARIANT, Outbox
from spanloop_collector.webhooks.sender import WebhookSender
from spanloop_collector.webhooks.signature import make_secret

from tests.collector.api.conftest import Api
from tests.support.webhook_receiver import Receiver, webhook_receiver

PATH = "/v1/variant-experiments"
EXPERIMENT = {"name": "colder", "project": "shop", "steps": ["classifier"], "timeout_seconds": 60, "max_at_once": 2}
TASKS = [{"id": f"t{n}", "input": {"n": n}, "expected": {"label": n % 2, "text": "é'\\"}} for n in range(3)]


async def post(api: Api, path: str, body: object, status: int = 200, **headers: str) -> dict[str, Any]:
    """The JSON answer, which must come with that status."""
    headers = {"content-type": "application/json", **headers}
    response = await api.http.post(quote(path), content=json.dumps(body), headers=headers)
    assert response.status_code == status, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def sql(api: Api, statement: str, **headers: str) -> list[dict[str, Any]]:
    response = await api.http.post("/?default_format=JSONEachRow", content=statement, headers=headers)
    assert response.status_code == 200, response.text
    return [json.loads(line) for line in response.text.splitlines()]


async def make(api: Api, url: str = "http://127.0.0.1:9/", **changes: object) -> None:
    """An experiment with its tasks."""
    await post(api, PATH, {**EXPERIMENT, "url": url, **changes})
    await post(api, f"{PATH}/colder/tasks", {"project": "shop", "tasks": TASKS})


async def run_baseline(api: Api, status: int = 200) -> dict[str, Any]:
    configuration = {"classifier": {"temperature": 0.7}}
    return await post(api, f"{PATH}/colder/baseline", {"project": "shop", "configuration": configuration}, status)


async def answer(api: Api, test_id: str, output: object, **more: object) -> None:
    """What the application would send back for a test."""
    now = time.time()
    metrics = {"start": now, "end": now + 1}
    row = {"project": "shop", "name": "app", "output": output, "metadata": {"test_id": test_id}, "metrics": metrics}
    await post(api, "/v1/rows", {"rows": [{**row, **more}]})
    await api.writer.barrier()


@dataclass
class Hand:
    """Moves runs and deliveries, at times that the test chooses."""

    store: Store
    queries: Queries
    ahead: float = 0.0
    outbox: Outbox = field(init=False)

    def __post_init__(self) -> None:
        sender = WebhookSender(allow_private_addresses=True, timeout_seconds=5)
        self.outbox = Outbox(self.store, sender, VARIANT, retry_after_seconds=(), now=self.now)

    def now(self) -> float:
        return time.time() + self.ahead

    async def move(self) -> None:
        """Every run that is under way, one step; then what it sent is delivered."""
        table = VariantTable(self.store)
        for project, run_id in table.running():
            await VariantRunner(self.store, table, self.queries, self.outbox, now=self.now).step(project, run_id)
        sql = f"SELECT project, id FROM {self.store.database}.webhook_deliveries WHERE status = 'waiting' ORDER BY id"
        for project, message_id in self.store.query(sql).result_rows:
            await asyncio.to_thread(self.outbox.deliver, project, message_id)

    async def close(self) -> None:
        await self.queries.close()


@pytest.fixture
async def hand(api: Api) -> Any:
    hand = Hand(api.store, Queries(api.store, QuerySettings()))
    yield hand
    await hand.close()


def ids_of(receiver: Receiver) -> list[str]:
    return [message.json["testId"] for message in receiver.received]


async def shown(api: Api) -> list[tuple[str, str, str]]:
    rows = await sql(api, "SELECT task_id, status, reason FROM variant_tests ORDER BY task_id")
    return [(row["task_id"], row["status"], row["reason"]) for row in rows]


async def test_a_run_from_its_messages_to_its_verdicts(api: Api, hand: Hand) -> None:
    with webhook_receiver() as receiver:
        await make(api, receiver.url)
        started = await run_baseline(api)
        assert started["status"] == "running_baseline"
        await hand.move()
        await hand.move()
        [unsent] = await sql(api, "SELECT test_id FROM variant_tests WHERE status = 'waiting'")
        await post(api, f"/v1/variant-tests/{unsent['test_id']}", {"project": "shop", "passed": True}, 409)
        # Two at a time.
        assert [message.json["task"]["id"] for message in receiver.received] == ["t0", "t1"]
        [first, second] = ids_of(receiver)
        assert receiver.received[0].json["experiment"] == {
            "name": "colder",
            "variant": "baseline",
            "overrides": {"classifier": {"temperature": 0.7}},
        }
        await answer(api, first, {"label": 0, "text": "é'\\"})
        await answer(api, second, {"label": 0, "text": "é'\\"})
        await hand.move()
        third = ids_of(receiver)[2]
        await answer(api, third, {"label": 0, "text": "é'\\"}, error="it broke")
        await hand.move()
    assert await shown(api) == [("t0", "passed", ""), ("t1", "failed", ""), ("t2", "failed", "it broke")]
    [row] = await sql(api, "SELECT experiment_status, name, total, passed, failed, pass_rate FROM variants")
    assert row.pop("pass_rate") == pytest.approx(100 / 3)
    assert row == {"experiment_status": "baseline_complete", "name": "baseline", "total": 3, "passed": 1, "failed": 2}
    await hand.move()
    assert len(receiver.received) == 3


async def test_a_verdict_may_wait_for_a_score_and_may_come_from_the_application(api: Api, hand: Hand) -> None:
    pass_when = "if(mapContains(scores, 'judge'), scores['judge'] > 0.5, NULL) -- once it is there"
    with webhook_receiver() as receiver:
        await make(api, receiver.url, pass_when=pass_when, max_at_once=3)
        await run_baseline(api)
        await hand.move()
        scored, reported, late = ids_of(receiver)
        await answer(api, scored, "x", id="scored")
        await hand.move()
        assert {status for _, status, _ in await shown(api)} == {"sent"}
        items = [{"id": "scored", "scores": {"judge": 0.9}}]
        await post(api, "/v1/feedback", {"project": "shop", "items": items})
        await api.writer.barrier()
        said = {"project": "shop", "passed": False, "reason": "too slow"}
        assert (await post(api, f"/v1/variant-tests/{reported}", said))["status"] == "failed"
        assert (await post(api, f"/v1/variant-tests/{reported}", said))["status"] == "failed"
        await post(api, f"/v1/variant-tests/{reported}", {**said, "passed": True}, 409)
        await hand.move()
        assert [status for _, status, _ in await shown(api)] == ["passed", "failed", "sent"]
        hand.ahead = 61
        await hand.move()
    assert await shown(api) == [
        ("t0", "passed", ""),
        ("t1", "failed", "too slow"),
        ("t2", "failed", "no verdict within 60 seconds"),
    ]
    assert late
    assert (await api.http.get(f"{PATH}/colder?project=shop")).json()["status"] == "baseline_complete"


async def test_a_baseline_that_reaches_nobody_has_failed_and_may_be_tried_again(api: Api, hand: Hand) -> None:
    await make(api)
    await run_baseline(api)
    for _ in range(4):
        await hand.move()
    failed = (await api.http.get(f"{PATH}/colder?project=shop")).json()
    assert failed["status"] == "baseline_failed"
    assert {reason.partition(": ")[0] for _, _, reason in await shown(api)} == {"it could not be delivered"}
    await post(api, f"{PATH}/colder/tasks", {"project": "shop", "tasks": TASKS[:1]})
    with webhook_receiver() as receiver:
        await post(api, PATH, {**EXPERIMENT, "url": receiver.url})
        await run_baseline(api)
        await hand.move()
        await answer(api, ids_of(receiver)[0], {"label": 0, "text": "é'\\"})
        await hand.move()
    assert (await api.http.get(f"{PATH}/colder?project=shop")).json()["variants"][0]["outcome"]["pass_rate"] == 100


async def test_two_collectors_send_each_test_once(api: Api, hand: Hand) -> None:
    with webhook_receiver() as receiver:
        await make(api, receiver.url, max_at_once=3)
        await run_baseline(api)
        other = Hand(api.store, hand.queries)
        await asyncio.gather(hand.move(), other.move())
        await asyncio.gather(hand.move(), other.move())
        assert len(ids_of(receiver)) == len(set(ids_of(receiver))) == 3


async def test_a_test_that_a_dead_collector_marked_as_sent_is_sent(api: Api, hand: Hand) -> None:
    with webhook_receiver() as receiver:
        await make(api, receiver.url)
        await run_baseline(api)
        table = VariantTable(api.store)
        [(project, run_id)] = table.running()
        dying = VariantRunner(api.store, table, hand.queries, hand.outbox)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(hand.outbox, "add", lambda *given: (_ for _ in ()).throw(SystemExit()))
            with pytest.raises(SystemExit):
                await dying.step(project, run_id)
        assert receiver.received == []
        await hand.move()
        assert len(ids_of(receiver)) == 2


async def test_tasks_may_be_rows_of_a_view(api: Api) -> None:
    rows = [{"id": f"call-{n}", "project": "shop", "input": n, "expected": "x"} for n in range(3)]
    await post(api, "/v1/rows", {"rows": rows})
    await api.writer.barrier()
    await post(api, PATH, {**EXPERIMENT, "url": "http://127.0.0.1:9/"})
    body = {"project": "shop", "source": "logs", "where": "id != 'call-1' -- not that one"}
    assert (await post(api, f"{PATH}/colder/tasks", body))["task_count"] == 2
    for wrong, words in (
        ({"where": "id IN (SELECT key_id FROM api_keys)"}, "table api_keys is not allowed here"),
        ({"where": "id = 'none'"}, "expected 1 to 10,000 tasks, each variant runs them all; got 0"),
        ({"source": "api_keys"}, "expected one of logs, dataset_rows"),
        ({"tasks": [{"id": "a"}, {"id": "a"}]}, "the id 'a' is there twice"),
    ):
        refused = await post(api, f"{PATH}/colder/tasks", {**body, **wrong}, 400)
        assert words in refused["error"]["message"]


async def test_what_is_wrong_is_named(api: Api) -> None:
    for changes, words in (
        ({"name": "a/b"}, "name: expected up to 200 characters without a slash"),
        ({"steps": []}, "steps: name up to 100 different inference steps"),
        ({"url": "ftp://x"}, "url: expected http"),
        ({"url": ""}, "url: say where messages are sent"),
        ({"secret": "short"}, "secret: expected whsec_"),
        ({"pass_when": "colour ="}, "pass_when: Syntax error"),
        ({"pass_when": "(SELECT count() FROM api_keys) > 0"}, "table api_keys is not allowed here"),
        ({"timeout_seconds": 0.5}, "timeout_seconds: expected seconds from 1"),
    ):
        body = {**EXPERIMENT, "url": "http://127.0.0.1:9/", **changes}
        assert words in (await post(api, PATH, body, 400))["error"]["message"]
    await make(api, secret=make_secret())
    other = {**EXPERIMENT, "url": "http://127.0.0.1:9/", "steps": ["other"]}
    assert "its steps is different" in (await post(api, PATH, other, 409))["error"]["message"]
    body = {"project": "shop", "configuration": {"reader": {}}}
    assert "'reader' is no step" in (await post(api, f"{PATH}/colder/baseline", body, 400))["error"]["message"]
    await post(api, f"{PATH}/none/baseline", {"project": "shop"}, 404)
    await post(api, "/v1/variant-tests/none.1", {"project": "shop"}, 404)
    stub: Any = variants_pb2_grpc.VariantServiceStub(api.grpc)  # type: ignore[no-untyped-call]  # generated
    answer = await stub.ListVariantExperiments(variants_pb2.ListVariantExperimentsRequest(project="shop"))
    assert [(each.name, each.status) for each in answer.experiments] == [("colder", "baseline_pending")]


class TestWithKeys:
    @pytest.fixture
    def requires_keys(self) -> bool:
        return True

    async def test_experiments_belong_to_their_project(self, api: Api) -> None:
        admin, other = await api.key(Scope.ADMIN, project="shop"), await api.key(Scope.ADMIN, project="garden")
        await post(api, PATH, {**EXPERIMENT, "url": "http://127.0.0.1:9/"}, 200, **admin)
        await post(api, f"{PATH}/colder/tasks", {"tasks": TASKS}, 200, **admin)
        await post(api, f"{PATH}/colder/baseline", {}, 200, **admin)
        assert len(await sql(api, "SELECT * FROM variants", **admin)) == 1
        for view in ("variants", "variant_tests", "webhook_deliveries", "audit_log"):
            assert await sql(api, f"SELECT * FROM {view}", **other) == []
        assert (await api.http.get(PATH, headers=other)).json() == {"experiments": []}
        await post(api, f"{PATH}/colder/archive", {"project": "shop"}, 403, **other)
        reader = await api.key(Scope.READ, project="shop")
        await post(api, f"{PATH}/colder/archive", {}, 403, **reader)
