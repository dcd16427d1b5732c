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


def code_blocks(language: str, *, section: str) -> list[str]:
    """The blocks of one section in this language."""
    text = README.split(f"\n## {section}\n")[1].split("\n## ")[0]
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


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
    application = (
        code_blocks("python", section="Your own application")[0] + "\nprint(answer('When do I get my refund?'))\n"
    )
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
    for statement in code_blocks("sql", section="Ask in SQL"):
        done = spanloop("sql", "-F", "jsonl", statement, "--api-url", collector_process.api_url)
        assert done.returncode == 0, done.stderr
        assert done.stdout, f"no rows: {statement}"


def test_clickhouse_clients_can_ask(shared_collector: CollectorProcess) -> None:
    port = shared_collector.api_url.rpartition(":")[2]
    run_python(code_blocks("python", section="Ask in SQL")[0].replace("7411", port) + "\nprint(frame)\n")


def test_rows_without_spans_and_feedback(shared_collector: CollectorProcess) -> None:
    blocks = code_blocks("python", section="Rows without spans, and feedback")
    run_python(
        "\n".join(blocks),
        SPANLOOP_ENDPOINT=f"http://{shared_collector.grpc_address}",
        SPANLOOP_API_URL=shared_collector.api_url,
    )
    query = (
        "SELECT output, expected, scores, metadata['comment'] AS comment, mapContains(metrics, 'end') AS ended "
        "FROM logs WHERE project = 'support' AND id = 'ticket-7' AND expected != ''"
    )
    assert wait_until(lambda: shared_collector.sql(query), what="the row with its feedback") == [
        {
            "output": '"On its way."',
            "expected": '"It arrived yesterday."',
            "scores": {"thumbs": 0},
            "comment": "wrong order",
            "ended": 1,
        }
    ]
