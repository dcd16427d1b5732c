"""A running application with spanloop in it, a collector, and an experiment that changes its parameters."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import spanloop
import uvicorn
from spanloop.webhooks import AsgiWebhooks
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.conftest import StartCollector
from tests.support.collector_process import CollectorProcess
from tests.support.command_here import ask_here
from tests.support.waiting import wait_until

PROJECT = "sums"


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

    application = Starlette(routes=[Route("/tests", run_test, methods=["POST"])])

    async def checked(scope: Any, receive: Any, send: Any) -> None:
        await AsgiWebhooks(application, path="/tests", secret=secrets)(scope, receive, send)

    config = uvicorn.Config(checked, host="127.0.0.1", port=0, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    wait_until(lambda: server.started, what="the application listens")
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/tests"
    finally:
        server.should_exit = True
        thread.join()


def variants(collector: CollectorProcess, *arguments: str, fails: bool = False) -> str:
    """What `spanloop variants …` prints, run in this process."""
    done = ask_here(collector, "variants", *arguments, SPANLOOP_PROJECT=PROJECT)
    assert bool(done.error) == fails, done
    return done.error if fails else done.stdout


def lines(table: str) -> list[list[str]]:
    """The cells of a printed table below its heading, without the time in the last column."""
    rows = table[table.rindex("─") + 1 :].splitlines()
    return [re.split(r"\s{2,}", row.strip())[:-1] for row in rows if row.strip()]


def test_from_baseline_to_the_better_variant(start_collector: StartCollector, tmp_path: Path) -> None:
    collector = start_collector(environment={"SPANLOOP_WEBHOOKS_ALLOW_PRIVATE_ADDRESSES": "true"})
    secrets: list[str] = []
    tasks = tmp_path / "tasks.jsonl"
    tasks.write_text("".join(json.dumps({"input": [n, n], "expected": 2 * n}) + "\n" for n in (1, 2, 20, 200)))
    spanloop.init(PROJECT, endpoint=f"http://{collector.grpc_address}", flush_interval_seconds=0.05)
    with serve_application(secrets) as url:
        secrets.append(variants(collector, "create", "sums", "--url", url, "--step", "adder").strip())
        assert variants(collector, "create", "sums", "--url", url, "--step", "adder") == ""
        assert variants(collector, "tasks", "sums", "-f", str(tasks)) == "4 tasks\n"
        base = variants(collector, "baseline", "sums", "--set", "adder.temperature=0.9", "--wait")
        assert lines(base) == [["baseline", "adder.temperature = 0.9", "2 of 4", "50.0 %"]]
        assert "locked" in variants(collector, "tasks", "sums", "-f", str(tasks), fails=True)
        assert "not of the form" in variants(collector, "add", "sums", "large", "--set", "model=large", fails=True)
        two = ("--set", "adder.model=large", "--set", "adder.temperature=0.1")
        assert "a variant changes one parameter" in variants(collector, "add", "sums", "both", *two, fails=True)
        variants(collector, "add", "sums", "large", "--set", "adder.model=large")
        variants(collector, "run", "sums", "large", "--wait")
        added = variants(collector, "add", "sums", "cold", "--parent", "large", "--set", "adder.temperature=0.2")
        assert json.loads(added.removeprefix("cold: ")) == {"adder": {"temperature": 0.2, "model": "large"}}
        done = variants(collector, "run", "sums", "cold", "--wait")
    assert lines(done) == [
        ["baseline", "adder.temperature = 0.9", "2 of 4", "50.0 %"],
        ["large", 'adder.model = "large"', "3 of 4", "75.0 %", "+50.0 %"],
        ["cold", "adder.temperature = 0.2", "4 of 4", "100.0 %", "+100.0 %"],
    ]
    assert variants(collector, "complete", "sums") == "completed\n"
    assert "completed" in variants(collector, "list")
    check_sql(collector)


def check_sql(collector: CollectorProcess) -> None:
    """The same can be seen in SQL, down to the traces."""
    rows = collector.sql("SELECT name, parent, pass_rate, against_baseline FROM variants ORDER BY pass_rate")
    assert rows == [
        {"name": "baseline", "parent": "", "pass_rate": 50, "against_baseline": None},
        {"name": "large", "parent": "baseline", "pass_rate": 75, "against_baseline": 50},
        {"name": "cold", "parent": "large", "pass_rate": 100, "against_baseline": 100},
    ]
    rows = collector.sql(
        "SELECT output, metadata['inference_step.adder'] AS step, status FROM variant_tests "
        "JOIN logs ON logs.trace_id = variant_tests.trace_id "
        "WHERE variant = 'large' AND task_id = '4' AND metadata['test_id'] = test_id"
    )
    [row] = rows
    assert (row["output"], row["status"]) == ("401", "failed")
    assert json.loads(row["step"]) == {"model": "large", "temperature": 0.9}
    assert collector.sql("SELECT count() AS n FROM webhook_deliveries WHERE topic = 'variant'")[0]["n"] == 12
