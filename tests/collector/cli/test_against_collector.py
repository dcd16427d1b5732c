"""Commands against a running collector. Each test has a project of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from dataclasses import asdict
from typing import Any

import pytest
from spanloop_collector.write.dead_letter import DeadLetter

from tests.collector.schema.spans import request, span
from tests.support.collector_process import CollectorProcess
from tests.support.sending import ask, send_span, wait_for_rows
from tests.support.waiting import wait_until


def test_sql_answers_about_spans(shared_collector: CollectorProcess) -> None:
    send_span(shared_collector, "first", project="sql")
    wait_for_rows(shared_collector, 1, project="sql")
    done = ask(shared_collector, "sql", "-F", "json", "SELECT name, duration FROM logs WHERE project = 'sql'")
    assert json.loads(done.stdout) == [{"name": "first", "duration": 1.5}]
    done = ask(shared_collector, "sql", "SELECT name FROM logs WHERE project = 'sql' FORMAT Vertical")
    assert (done.stderr, "name: first" in done.stdout) == ("", True)


def test_doctor_is_content_with_a_healthy_collector(shared_collector: CollectorProcess) -> None:
    done = ask(shared_collector, "doctor")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line for line in done.stdout.splitlines() if not line.startswith("✓")] == []
    for subject in ("collector", "clock", "ClickHouse", "traces spool", "logs spool", "dead letters", "disk"):
        assert f"✓ {subject}" in done.stdout


def test_tail_shows_rows_as_they_arrive(shared_collector: CollectorProcess) -> None:
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "spanloop_collector",
            "tail",
            "--json",
            "-n",
            "2",
            "--where",
            "project = 'tail' AND name != 'skipped'",
        ],
        env={**os.environ, "SPANLOOP_API_URL": shared_collector.api_url},
        stdout=subprocess.PIPE,
        text=True,
    )
    lines: list[dict[str, Any]] = []
    assert process.stdout is not None
    reader = threading.Thread(target=lambda: lines.extend(map(json.loads, process.stdout or [])))
    reader.start()
    send_span(shared_collector, "one", project="tail")
    wait_until(lambda: len(lines) == 1, what="the first row in tail")
    send_span(shared_collector, "skipped", project="tail")
    send_span(shared_collector, "two", project="tail")
    assert process.wait(30) == 0
    reader.join()
    process.stdout.close()
    assert [(line["name"], line["is_finished"]) for line in lines] == [("one", 1), ("two", 1)]


def test_tail_for_people_has_one_line_per_row(shared_collector: CollectorProcess) -> None:
    send_span(shared_collector, "only", project="people", **{"spanloop.type": "task", "spanloop.output": '"hello"'})
    wait_for_rows(shared_collector, 1, project="people")
    done = ask(shared_collector, "tail", "-n", "1", "--since", "60", "--where", "project = 'people'")
    assert done.stdout.split() == ["00:00:00.000", "people", "task", "only", "1500", "ms", '"hello"'], done.stderr


def test_refused_condition_ends_tail_with_clickhouse_words(shared_collector: CollectorProcess) -> None:
    done = ask(shared_collector, "tail", "--where", "nonsense =")
    assert done.returncode == 1
    assert "Syntax error" in done.stderr


def test_no_dead_letters(shared_collector: CollectorProcess) -> None:
    done = ask(shared_collector, "dead-letters", "list")
    assert (done.returncode, done.stdout) == (0, "No dead letters: ClickHouse took everything.\n"), done.stderr


def test_a_dead_letter_is_listed_and_replayed(shared_collector: CollectorProcess) -> None:
    payload = request(span(name="late"), project="repaired")
    letter = DeadLetter("letter-1", "traces", 1_700_000_000.0, 1, len(payload), 33, "it was broken", has_nested=False)
    dead = shared_collector.data_dir / "dead"
    dead.mkdir(exist_ok=True)
    (dead / "letter-1.traces.otlp").write_bytes(payload)
    (dead / "letter-1.traces.json").write_text(json.dumps(asdict(letter)))

    listed = ask(shared_collector, "dead-letters", "list").stdout
    assert "letter-1" in listed
    assert "it was broken" in listed
    assert ask(shared_collector, "dead-letters", "replay", "letter-1").stdout == "replayed 1\n"

    wait_for_rows(shared_collector, 1, project="repaired")
    assert "letter-1" not in ask(shared_collector, "dead-letters", "list").stdout
    states = "SELECT state FROM dead_letters FINAL WHERE id = 'letter-1'"
    assert shared_collector.sql(states) == [{"state": "replayed"}]


@pytest.mark.parametrize("command", ["replay", "delete"])
def test_dead_letters_must_be_named(shared_collector: CollectorProcess, command: str) -> None:
    done = ask(shared_collector, "dead-letters", command)
    assert (done.returncode, done.stderr) == (2, "spanloop: name dead letters by their ids, or say --all\n")
    assert ask(shared_collector, "dead-letters", command, "--all").returncode == 0
