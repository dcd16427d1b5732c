"""The README's examples do what it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from spanloop_collector.demo.provider import running_provider

from tests.support.collector_process import CollectorProcess
from tests.support.command import spanloop
from tests.support.waiting import wait_until

README = (Path(__file__).parents[2] / "README.md").read_text()


def code_blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@pytest.fixture
def provider() -> Iterator[str]:
    with running_provider() as url:
        yield url


def run_python(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_traced_application_is_found_by_every_statement(collector_process: CollectorProcess, provider: str) -> None:
    application = code_blocks("python")[0] + "\nprint(answer('When do I get my refund?'))\n"
    run_python(
        application,
        SPANLOOP_ENDPOINT=f"http://{collector_process.grpc_address}",
        OPENAI_BASE_URL=provider,
        OPENAI_API_KEY="none",
    )
    rows = wait_until(
        lambda: collector_process.sql(
            "SELECT name, type, project, metadata['user_id'] AS user FROM logs ORDER BY created"
        ),
        what="rows of the traced application",
    )
    assert rows[0] == {"name": "answer", "type": "function", "project": "support", "user": "ada"}
    assert rows[1]["type"] == "llm"
    for statement in code_blocks("sql"):
        done = spanloop("sql", "-F", "jsonl", statement, "--api-url", collector_process.api_url)
        assert done.returncode == 0, done.stderr
        assert done.stdout, f"no rows: {statement}"


def test_clickhouse_clients_can_ask(collector_process: CollectorProcess) -> None:
    port = collector_process.api_url.rpartition(":")[2]
    run_python(code_blocks("python")[1].replace("7411", port) + "\nprint(frame)\n")
