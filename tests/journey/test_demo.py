"""`spanloop demo` shows the whole way, quickly, and leaves nothing behind."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.support.command import spanloop
from tests.support.waiting import wait_until

pytestmark = pytest.mark.slow

DEMO_CPU_SECONDS = 15
"""Of all its processes; quicker than half a minute on two cores, whatever runs beside it here."""


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the demo puts what it throws away."""
    directory = tmp_path / "tmp"
    directory.mkdir()
    monkeypatch.setenv("TMPDIR", str(directory))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return directory


def children_cpu_seconds() -> float:
    """What the processes that ended so far have computed, those that they started included."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def answers(text: str) -> dict[str, list[list[str]]]:
    """Cells of each printed table by the question above it."""
    found: dict[str, list[list[str]]] = {}
    title = ""
    for line in text.splitlines():
        if line.endswith("?") and not line.startswith(" "):
            title = line
            found[title] = []
        elif title and line.startswith(" ") and line.strip() and "─" not in line and not line.startswith("       "):
            found[title].append(line.split())
    return found


def test_demo_answers_questions_about_real_calls(scratch: Path) -> None:
    before = children_cpu_seconds()
    done = spanloop("demo")
    assert done.returncode == 0, done.stdout + done.stderr
    assert children_cpu_seconds() - before < DEMO_CPU_SECONDS
    shown = answers(done.stdout)
    (_, *rows) = shown["What did the application do?"]
    assert [row[:2] + row[-3::2] for row in rows] == [
        ["task", "answer", "8", "0"],
        ["llm", "chat", "8", "0"],
        ["tool", "search_handbook", "8", "0"],
        ["tool", "look_up_order", "4", "1"],
    ]
    ((model, calls, prompt_tokens, completion_tokens, usd),) = shown["What do the models cost?"][1:]
    assert (model, calls) == ("gpt-4o-mini", "8")
    assert int(prompt_tokens) > 8
    assert int(completion_tokens) > 8
    assert float(usd) > 0
    assert "order 4040 of customer alan is unknown" in done.stdout
    assert "Where to go next" in done.stdout
    assert list(scratch.iterdir()) == []


def test_demo_works_without_the_openai_client(scratch: Path, tmp_path: Path) -> None:
    (tmp_path / "without").mkdir()
    (tmp_path / "without" / "openai.py").write_text("raise ModuleNotFoundError(name='openai')")
    done = spanloop("demo", environment={"PYTHONPATH": str(tmp_path / "without")})
    assert done.returncode == 0, done.stdout + done.stderr
    assert ["llm", "chat", "8"] in [row[:3] for row in answers(done.stdout)["What did the application do?"]]


def test_interrupted_demo_ends_everything_it_started(scratch: Path, tmp_path: Path) -> None:
    output = tmp_path / "demo.log"
    with (
        output.open("wb") as log,
        subprocess.Popen(
            [sys.executable, "-m", "spanloop_collector", "demo", "--keep"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        ) as process,
    ):
        try:
            wait_until(lambda: "runs until Ctrl-C" in output.read_text(), what="a demo that keeps running", timeout=60)
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
    assert list(scratch.iterdir()) == []


def test_demo_can_keep_its_data(scratch: Path, tmp_path: Path) -> None:
    data = tmp_path / "kept"
    done = spanloop("demo", "--data-dir", str(data))
    assert done.returncode == 0, done.stdout + done.stderr
    assert (data / "clickhouse").is_dir()
    assert f"spanloop serve --data-dir {data}" in done.stdout
