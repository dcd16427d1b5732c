"""A running application with spanloop in it, a collector, and an experiment that changes its parameters."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import spanloop
import uvicorn
from spanloop.webhooks import AsgiWebhooks
from spanloop_collector.client import ApiClient, ApiError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.conftest import StartCollector
from tests.support.collector_process import CollectorProcess
from tests.support.waiting import wait_until

PROJECT = "sums"
EXPERIMENTS = "/v1/variant-experiments"
EXPERIMENT = f"{EXPERIMENTS}/better sums".replace(" ", "%20")


@spanloop.traced
def add(numbers: list[int]) -> int:
    """What the application does: with a low temperature, its sums are right."""
    step = spanloop.inference_step("adder", model="small", temperature=0.9)
    wrong_from = {"small": 10, "large": 100}[step["model"]] if step["temperature"] > 0.5 else 1000
    return sum(numbers) + (sum(numbers) >= wrong_from)


@contextmanager
def serve_application(secrets: list[str]) -> Iterator[str]:
    """The application's address. It knows the secrets in the list, also those that come later."""

    async def run_test(request: Request) -> Response:
        message = await request.json()
        add(message["task"]["input"])
        return Response(status_code=204)

    app = Starlette(routes=[Route("/tests", run_test, methods=["POST"])])

    async def checked(scope: Any, receive: Any, send: Any) -> None:
        await (AsgiWebhooks(app, path="/tests", secret=secrets) if secrets else app)(scope, receive, send)

    config = uvicorn.Config(checked, host="127.0.0.1", port=0, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_until(lambda: server.started, what="the application listens")
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/tests"
    server.should_exit = True
    thread.join()


def wait_for(client: ApiClient, status: str) -> dict[str, Any]:
    """The experiment, as soon as it has this status."""

    def probe() -> dict[str, Any] | None:
        found = client.get(EXPERIMENT, project=PROJECT)
        return found if found["status"] == status else None

    return wait_until(probe, what=f"status {status}", poll=0.1) or {}


def outcomes(experiment: dict[str, Any]) -> dict[str, tuple[Any, ...]]:
    return {
        variant["name"]: tuple(
            variant["outcome"].get(name) for name in ("passed", "failed", "pass_rate", "against_baseline")
        )
        for variant in experiment["variants"]
    }


def refused(call: Callable[[], object]) -> str:
    try:
        call()
    except ApiError as error:
        return str(error)
    raise AssertionError("it was not refused")


def test_from_baseline_to_the_better_variant(start_collector: StartCollector) -> None:
    collector = start_collector(environment={"SPANLOOP_WEBHOOKS_ALLOW_PRIVATE_ADDRESSES": "true"})
    client = ApiClient(collector.api_url)
    secrets: list[str] = []
    spanloop.init(PROJECT, endpoint=f"http://{collector.grpc_address}", flush_interval_seconds=0.05)
    with serve_application(secrets) as url:
        body = {"name": "better sums", "project": PROJECT, "steps": ["adder"], "url": url, "timeout_seconds": 20}
        made = client.post(EXPERIMENTS, body)
        secrets.append(made["secret"])
        assert made["experiment"]["status"] == "draft"
        assert client.post(EXPERIMENTS, body)["secret"] == ""
        tasks = [{"id": f"sum-{n}", "input": [n, n], "expected": 2 * n} for n in (1, 2, 20, 200)]
        client.post(f"{EXPERIMENT}/tasks", {"project": PROJECT, "tasks": tasks})
        client.post(f"{EXPERIMENT}/baseline", {"project": PROJECT, "configuration": {"adder": {"temperature": 0.9}}})
        base = wait_for(client, "baseline_complete")
        assert outcomes(base) == {"baseline": (2, 2, 50, None)}
        assert "locked" in refused(lambda: client.post(f"{EXPERIMENT}/tasks", {"project": PROJECT, "tasks": tasks}))
        for variant in (
            {"variant": "large", "step": "adder", "parameter": "model", "value": "large"},
            {"variant": "large and cold", "parent": "large", "step": "adder", "parameter": "temperature", "value": 0.2},
        ):
            client.post(f"{EXPERIMENT}/variants", {"project": PROJECT, **variant})
            client.post(f"{EXPERIMENT}/variants/{variant['variant']}/run".replace(" ", "%20"), {"project": PROJECT})
            done = wait_for(client, "idle")
    assert outcomes(done) == {
        "baseline": (2, 2, 50, None),
        "large": (3, 1, 75, 50),
        "large and cold": (4, 0, 100, 100),
    }
    assert done["variants"][2]["effective"] == {"adder": {"temperature": 0.2, "model": "large"}}
    client.post(f"{EXPERIMENT}/complete", {"project": PROJECT})
    check_sql(collector)


def check_sql(collector: CollectorProcess) -> None:
    """The same can be seen in SQL, down to the traces."""
    rows = collector.sql("SELECT name, parent, pass_rate, against_baseline FROM variants ORDER BY pass_rate")
    assert rows == [
        {"name": "baseline", "parent": "", "pass_rate": 50, "against_baseline": None},
        {"name": "large", "parent": "baseline", "pass_rate": 75, "against_baseline": 50},
        {"name": "large and cold", "parent": "large", "pass_rate": 100, "against_baseline": 100},
    ]
    rows = collector.sql(
        "SELECT output, metadata['inference_step.adder'] AS step, status FROM variant_tests "
        "JOIN logs ON logs.trace_id = variant_tests.trace_id "
        "WHERE variant = 'large' AND task_id = 'sum-200' AND metadata['test_id'] = test_id"
    )
    [row] = rows
    assert (row["output"], row["status"]) == ("401", "failed")
    assert json.loads(row["step"]) == {"model": "large", "temperature": 0.9}
    assert collector.sql("SELECT count() AS n FROM webhook_deliveries WHERE topic = 'variant'")[0]["n"] == 12
