"""`spanloop sql` against a ClickHouse server, whose HTTP interface the collector speaks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet
import pytest

from tests.support.command import spanloop

QUESTION = "SELECT number AS n, concat('row ', toString(number)) AS text FROM numbers(3)"
BROKEN = """
SELECT throwIf(number = 300000, 'broken on purpose') AS x FROM numbers(400000) SETTINGS max_block_size = 1000
"""


@pytest.fixture
def at(clickhouse_server: str) -> dict[str, str]:
    return {"SPANLOOP_API_URL": clickhouse_server}


def test_table_is_the_default(at: dict[str, str]) -> None:
    done = spanloop("sql", QUESTION, environment=at)
    assert [line.split() for line in done.stdout.splitlines()[3:]] == [
        ["0", "row", "0"],
        ["1", "row", "1"],
        ["2", "row", "2"],
        [],
        ["3", "rows"],
    ], done.stderr


def test_json_is_one_array(at: dict[str, str]) -> None:
    done = spanloop("sql", QUESTION, "--format", "json", environment=at)
    assert json.loads(done.stdout) == [{"n": n, "text": f"row {n}"} for n in range(3)]


def test_json_of_no_rows_is_an_empty_array(at: dict[str, str]) -> None:
    done = spanloop("sql", "SELECT 1 WHERE 0", "--format", "json", environment=at)
    assert done.stdout == "[]\n"


def test_format_may_come_from_the_environment(at: dict[str, str]) -> None:
    done = spanloop("sql", QUESTION, environment=at | {"SPANLOOP_SQL_FORMAT": "jsonl"})
    assert done.stdout == "".join(f'{{"n":{n},"text":"row {n}"}}\n' for n in range(3))


def test_csv_has_a_header(at: dict[str, str]) -> None:
    done = spanloop("sql", QUESTION, "--format", "csv", environment=at)
    assert done.stdout == '"n","text"\n0,"row 0"\n1,"row 1"\n2,"row 2"\n'


def test_parquet_goes_to_the_file_whose_name_says_so(at: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "result.parquet"
    done = spanloop("sql", QUESTION, "-o", str(file), environment=at)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert pyarrow.parquet.read_table(file).to_pydict() == {
        "n": [0, 1, 2],
        "text": ["row 0", "row 1", "row 2"],
    }
    assert [path.name for path in tmp_path.iterdir()] == ["result.parquet"]


def test_statement_from_a_file(at: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "question.sql"
    file.write_text("SELECT 40 + 2 AS answer -- a comment at the end")
    assert spanloop("sql", "-f", str(file), "-F", "csv", environment=at).stdout == '"answer"\n42\n'


def test_statement_from_a_pipe(at: dict[str, str]) -> None:
    assert spanloop("sql", "-F", "csv", stdin="SELECT 1 AS one;\n", environment=at).stdout == '"one"\n1\n'


def test_refused_statement_shows_clickhouse_own_words(at: dict[str, str]) -> None:
    done = spanloop("sql", "SELECT nothing_of_this_name", environment=at)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Code: 47. DB::Exception: Unknown expression identifier" in done.stderr


def test_failure_in_the_middle_of_a_result_is_a_failure(at: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "half.csv"
    done = spanloop("sql", BROKEN, "-o", str(file), environment=at)
    assert done.returncode == 1
    assert "broken on purpose" in done.stderr
    assert list(tmp_path.iterdir()) == [], "half a result must not look like a whole one"


def test_half_a_result_on_standard_output_ends_at_a_whole_row(at: dict[str, str]) -> None:
    done = spanloop("sql", BROKEN, "--format", "jsonl", environment=at)
    assert done.returncode == 1
    assert set(done.stdout.splitlines()) == {'{"x":0}'}


def test_table_is_bounded_and_says_so(at: dict[str, str]) -> None:
    done = spanloop("sql", "SELECT number FROM numbers(1000)", "--max-rows", "5", environment=at)
    assert done.stdout.splitlines()[-1] == "first 5 rows; --max-rows shows more"


def test_values_cannot_play_tricks_with_the_terminal(at: dict[str, str]) -> None:
    done = spanloop("sql", r"SELECT 'a\x1b[31mred\x07' AS bell, '[bold]text[/]' AS markup", environment=at)
    assert "\x1b" not in done.stdout
    assert "\x07" not in done.stdout
    assert "[bold]text[/]" in done.stdout


def test_long_values_are_cut_in_tables_only(at: dict[str, str]) -> None:
    question = "SELECT repeat('x', 5000) AS long"
    table = spanloop("sql", question, environment=at).stdout
    assert table.count("x") == 299
    assert "…" in table
    assert spanloop("sql", question, "-F", "csv", environment=at).stdout.count("x") == 5000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "no statement; try"),
        (("SELECT 1", "-f", "some.sql"), "two statements"),
        (("-f", "/nowhere/some.sql"), "/nowhere/some.sql cannot be read: No such file"),
        (("SELECT 1", "-o", "table.txt"), "table.txt: say what to write with --format"),
        (("SELECT 1", "-o", "/nowhere/a.csv"), "/nowhere/a.csv cannot be written: No such file"),
    ],
)
def test_wrong_use_is_explained(at: dict[str, str], arguments: tuple[str, ...], message: str) -> None:
    done = spanloop("sql", *arguments, environment=at)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


def test_reader_that_has_seen_enough_ends_it_quietly(at: dict[str, str]) -> None:
    command = f"{sys.executable} -m spanloop_collector sql -F csv 'SELECT number FROM numbers(3000000)' | head -2"
    done = subprocess.run(
        ["bash", "-c", command],
        env={**os.environ, **at},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.stdout, done.stderr) == ('"number"\n0\n', "")
