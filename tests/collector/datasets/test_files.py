"""Rows in files of every format: what is written comes back, and others' files are understood."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from spanloop_collector.datasets.files import Columns, choose_format, parquet, read_records, to_row, write_rows
from spanloop_collector.datasets.files.csv_file import _cell, _value
from spanloop_collector.errors import ConfigError

ROWS: list[dict[str, Any]] = [
    {"id": "1", "input": "42", "expected": 42, "metadata": {"a": 1, "b": "1"}, "tags": ["x", "y"]},
    {"id": "2", "input": {"q": "hé"}, "expected": "", "origin": {"object_type": "dataset", "id": "d"}},
    {"id": "3", "input": [1, None, True], "metadata": {"deep": {"z": [1]}, "none": None}, "tags": ["t, u"]},
    {"id": "4", "input": 'two "lines"\r\nof text', "expected": {"a": None}},
    {"id": "5", "input": False, "expected": []},
]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def read_rows(path: Path, columns: Columns | None = None) -> list[dict[str, Any]]:
    source = read_records(path, choose_format(path, None))
    return [to_row(record, columns or Columns(), where=where) for record, _, where in source.records]


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.jsonl.gz", "rows.csv", "rows.csv.gz", "rows.parquet", "folder"])
def test_what_is_written_comes_back(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    write_rows(path, choose_format(path, None), iter(ROWS))
    assert read_rows(path) == ROWS
    assert not list(tmp_path.glob("*.part"))
    assert not name.endswith(".gz") or path.read_bytes().startswith(b"\x1f\x8b")


@given(json_values)
def test_any_value_survives_a_cell_of_csv(value: Any) -> None:
    assert _value("input", _cell(value)) == value


def test_reading_tells_how_far_it_is(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    write_rows(path, choose_format(path, None), ROWS * 1000)
    source = read_records(path, choose_format(path, None))
    positions = [numbered.position for numbered in source.records]
    assert positions == sorted(positions)
    assert positions[-1] == source.total == path.stat().st_size


def test_a_folder_is_written_in_shards_that_hugging_face_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "SHARD_ROWS", 2)
    write_rows(tmp_path / "set", choose_format(tmp_path / "set", None), iter(ROWS))
    shards = sorted(path.name for path in (tmp_path / "set" / "data").iterdir())
    assert shards == ["train-00000.parquet", "train-00001.parquet", "train-00002.parquet"]
    assert "path: data/train-*.parquet" in (tmp_path / "set" / "README.md").read_text()
    assert read_rows(tmp_path / "set") == ROWS
    with pytest.raises(ConfigError, match="is not empty; name a new folder"):
        write_rows(tmp_path / "set", choose_format(tmp_path / "set", None), ROWS)


def test_a_foreign_folder_keeps_its_splits_in_metadata(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / ".cache").mkdir()
    (tmp_path / ".cache" / "test.jsonl").write_text("not JSON")
    (tmp_path / "data" / "test-00000-of-00001.jsonl").write_text('{"question": "a", "answer": "b"}\n')
    pq.write_table(pa.table({"question": ["c"], "answer": ["d"]}), tmp_path / "data" / "train-00000-of-00001.parquet")
    rows = read_rows(tmp_path, Columns(input=["question"], expected=["answer"]))
    assert rows == [
        {"input": "a", "expected": "b", "metadata": {"split": "test"}},
        {"input": "c", "expected": "d", "metadata": {"split": "train"}},
    ]


def test_columns_become_fields(tmp_path: Path) -> None:
    path = tmp_path / "cases.csv"
    path.write_text('key,question,context,answer,lang,labels\n007,why?,c,because,en,"a, b"\n')
    columns = Columns(id="key", input=["question", "context"], expected=["answer"], tags="labels")
    assert read_rows(path, columns) == [
        {
            "id": "007",
            "input": {"question": "why?", "context": "c"},
            "expected": "because",
            "metadata": {"lang": "en"},
            "tags": ["a", "b"],
        }
    ]
    assert read_rows(path, Columns(input=["question"], metadata=["lang"])) == [
        {"input": "why?", "metadata": {"lang": "en"}}
    ]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", '{"input": 1}\n\n{"input": \n', "a.jsonl, line 3: is not JSON"),
        ("a.jsonl", "[1]\n", "a.jsonl, line 1: expected an object, got [1]"),
        ("a.jsonl", '{"question": 1}\n', "there is no column 'input'; name the one to take with --input"),
        ("a.csv", "input\n1,2\n", "a.csv, line 2: has more cells than the header has columns"),
        ("a.parquet", "text", "is not a Parquet file"),
        ("a.txt", "text", "cannot tell its format from its name"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, name: str, content: str, message: str) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(ConfigError) as refused:
        read_rows(path)
    assert message in str(refused.value)


def test_a_file_that_is_not_finished_leaves_no_name(tmp_path: Path) -> None:
    def broken() -> Any:
        yield ROWS[0]
        raise RuntimeError("the collector went away")

    with pytest.raises(RuntimeError):
        write_rows(tmp_path / "rows.jsonl", choose_format(tmp_path / "rows.jsonl", None), broken())
    assert list(tmp_path.iterdir()) == []


def test_numbers_in_json_lines_stay_what_they_are(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({"input": 9223372036854775808, "expected": 1.0}) + "\n")
    assert read_rows(path) == [{"input": 9223372036854775808, "expected": 1.0}]
