"""`spanloop datasets`, `promote` and `lineage` against a running collector; commands run in this process."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest
from spanloop_collector.cli.app import command_line
from spanloop_collector.client import ApiClient, ApiError
from spanloop_collector.errors import ConfigError
from typer.testing import CliRunner

from tests.support.collector_process import CollectorProcess
from tests.support.waiting import wait_until

TRANSFORM = """
def words(output):
    return [{"input": word} for word in output.split()]


def broken(output):
    raise ValueError(output)
"""


class Cli:
    """Runs commands in one project."""

    def __init__(self, collector: CollectorProcess, project: str) -> None:
        self.collector = collector
        self._environment = {"SPANLOOP_API_URL": collector.api_url, "SPANLOOP_PROJECT": project, "COLUMNS": "300"}

    def __call__(self, *arguments: str, stdin: str = "", code: int = 0) -> str:
        """What the command printed, on both streams; what it raises is raised."""
        result = CliRunner().invoke(command_line(arguments[0]), arguments, input=stdin, env=self._environment)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, result.output
        return result.output


@pytest.fixture
def cli(shared_collector: CollectorProcess, request: pytest.FixtureRequest) -> Cli:
    return Cli(shared_collector, request.node.name.replace("_", "-")[:60])


def log_rows(cli: Cli, *rows: dict[str, Any], project: str) -> None:
    ApiClient(cli.collector.api_url).post("/v1/rows", {"project": project, "rows": list(rows)})
    sql = f"SELECT count() AS n FROM logs WHERE project = '{project}'"
    wait_until(lambda: cli.collector.sql(sql)[0]["n"] >= len(rows), what="the rows")


def test_rows_go_in_and_out_of_files(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "cases.csv"
    file.write_text("question,answer,lang\nhow?,so,en\nwhy?,because,de\n")
    columns = ("--input", "question", "--expected", "answer")
    done = cli("datasets", "import", "golden", str(file), *columns)
    assert "golden: 2 inserted, 0 updated, 0 unchanged, 0 refused" in done
    assert "0 inserted, 0 updated, 2 unchanged" in cli("datasets", "import", "golden", str(file), *columns)
    assert "1 inserted" in cli("datasets", "import", "golden", "-", stdin='{"id": "x", "input": {"n": 1}}\n')
    cli("datasets", "export", "golden", str(tmp_path / "out.jsonl.gz"))
    lines = gzip.decompress((tmp_path / "out.jsonl.gz").read_bytes()).splitlines()
    rows = [json.loads(line) for line in lines]
    assert sorted((str(row["input"]), row.get("expected"), row["metadata"]) for row in rows if "metadata" in row) == [
        ("how?", "so", {"lang": "en"}),
        ("why?", "because", {"lang": "de"}),
    ]
    assert [json.loads(line) for line in cli("datasets", "export", "golden").splitlines()] == rows
    cli("datasets", "export", "golden", str(tmp_path / "folder"))
    assert "3 inserted" in cli("datasets", "import", "copy", str(tmp_path / "folder"))
    listed = cli("datasets", "list")
    assert re.search(r"copy +\S+ +3 ", listed)
    assert re.search(r"golden +\S+ +3 ", listed)


def test_bad_rows_of_a_file_are_named_and_the_others_stored(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "schema.json").write_text('{"type": "object"}')
    cli("datasets", "create", "strict", "--input-schema", str(tmp_path / "schema.json"))
    lines = '{"input": {"fine": 1}}\n\n{"input": "bad"}\n'
    output = cli("datasets", "import", "strict", "-", stdin=lines, code=1)
    assert "standard input, line 3: rows[1].input: 'bad' is not of type 'object'" in output
    assert "strict: 1 inserted, 0 updated, 0 unchanged, 1 refused" in output
    with pytest.raises(ConfigError, match=r"line 1: there is no column 'input'; name the one to take with --input"):
        cli("datasets", "import", "strict", "-", stdin='{"question": 1}\n')


def test_versions_are_listed_compared_and_restored(cli: Cli) -> None:
    cli("datasets", "import", "golden", "-", stdin='{"id": "a", "input": 1}\n{"id": "b", "input": 2}\n')
    assert "v1 is version" in cli("datasets", "snapshots", "create", "golden", "v1", "--description", "first")
    cli("datasets", "import", "golden", "-", stdin='{"id": "a", "input": "new"}\n{"id": "c", "input": 3}\n')
    versions = cli("datasets", "versions", "golden")
    assert re.search(r"import +1 +1 +0", versions)
    assert re.search(r"import +2 +0 +0 +v1", versions)
    diff = cli("datasets", "diff", "golden", "v1")
    assert re.search(r'~ +a +input +1 +"new"', diff)
    assert "1 added, 0 removed, 1 changed" in diff
    assert "would bring 1 row back and take 1 away" in cli("datasets", "restore", "golden", "v1", "--dry-run")
    assert "brought 1 row back and took 1 away, version" in cli("datasets", "restore", "golden", "v1")
    cli("datasets", "import", "golden", "-", stdin='{"id": "c", "input": 3}\n')
    assert "2 rows, version" in cli("datasets", "show", "golden", "--version", "v1")
    assert "first 1 row of 3, version" in cli("datasets", "show", "golden", "--max-rows", "1")
    cli("datasets", "restore", "golden", "v1")
    shown = cli("datasets", "show", "golden")
    assert re.search(r"a +1 ", shown)
    assert "2 rows, version" in shown
    assert re.search(r"v1 +\d+ +\S+ +first", cli("datasets", "snapshots", "list", "golden"))
    cli("datasets", "snapshots", "delete", "golden", "v1")
    assert "No snapshots yet" in cli("datasets", "snapshots", "list", "golden")
    cli("datasets", "delete", "golden", "--yes")
    with pytest.raises(ApiError, match="has no dataset 'golden'"):
        cli("datasets", "show", "golden")


def test_promote_and_lineage(cli: Cli, request: pytest.FixtureRequest) -> None:
    project = request.node.name.replace("_", "-")
    rows = [
        {"id": f"log-{n}", "name": "answer", "input": f"q{n}", "output": {"answer": f"a{n}"}, "scores": {"Fact": n / 4}}
        for n in range(4)
    ]
    log_rows(cli, *rows, project=project)
    command = ("promote", "--to", "hard", "--where", "scores['Fact'] < 0.5")
    shown = cli(*command, "--dry-run")
    assert "2 matching rows, 2 would be written to hard" in shown
    assert re.search(r'"q0" +\{"answer": "a0"\} +log-0', shown)
    set_expected = ("--set", "expected=JSONExtractString(output, 'answer')")
    assert "hard: 2 matching rows, 2 inserted, 0 updated, 0 refused, version" in cli(*command, *set_expected)
    assert "2 matching rows, 0 inserted" in cli(*command)
    assert re.search(r'"q1" +"a1"', cli("datasets", "show", "hard"))
    tree = cli("lineage", "log-1")
    assert re.search(rf"logs {project} +log-1 +dataset hard", tree)
    assert "came from: nothing" in tree
    assert "nobody was copied from nowhere and nothing was made of it" in cli("lineage", "nobody")
    with pytest.raises(ConfigError, match="--set 'expected': expected FIELD=SQL"):
        cli(*command, "--set", "expected")
    with pytest.raises(ApiError, match="Unknown expression"):
        cli("promote", "--to", "hard", "--where", "nothing = 1")


def test_a_python_function_makes_rows_and_goes_on_after_a_failure(
    cli: Cli, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    project = request.node.name.replace("_", "-")[:60]
    log_rows(cli, *({"id": f"w{n}", "name": "chat", "output": "one two three"} for n in range(2)), project=project)
    (tmp_path / "functions.py").write_text(TRANSFORM)
    file = tmp_path / "functions.py"
    with pytest.raises(ApiError, match=r"ValueError: one two three; fix it and go on with resume='(.*)'") as failed:
        cli("promote", "--to", "words", "--where", "name = 'chat'", "--transform", f"{file}:broken")
    job = str(failed.value).split("'")[-2]
    done = cli("promote", "--to", "words", "--transform", f"{file}:words", "--resume", job)
    assert "words: 2 rows went through, 6 written" in done
    assert f"go on with --resume {job}" in done
    for reference, message in (("nothing.py:f", "with a file that exists"), (f"{file}:f", "has no function 'f'")):
        with pytest.raises(ConfigError, match=message):
            cli("promote", "--to", "words", "--transform", reference)
