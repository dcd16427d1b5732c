"""`spanloop.init_dataset` and `promote` against a running collector. Each test has a project of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest
import spanloop
from spanloop import Dataset, init_dataset, promote, promote_job
from spanloop._api import ApiClient, ApiError
from spanloop._datasets import batch
from spanloop._datasets.transform import as_transform
from spanloop.datasets import PromoteJob, TransformError

from tests.support.collector_process import CollectorProcess
from tests.support.waiting import wait_until

Open = Callable[..., Dataset]


@pytest.fixture
def open_dataset(shared_collector: CollectorProcess) -> Open:
    """`init_dataset` on the running collector."""
    return lambda project, name="golden", **options: init_dataset(
        project, name, api_url=shared_collector.api_url, **options
    )


def values(dataset: Dataset, *fields: str) -> list[tuple[Any, ...]]:
    return [tuple(row.get(field) for field in fields) for row in dataset]


def test_rows_come_back_as_they_were_inserted(open_dataset: Open) -> None:
    dataset = open_dataset("sdk-rows")
    origin = {"object_type": "project_logs", "object_id": "sdk-rows", "id": "s"}
    first = dataset.insert(
        {"q": "why?"}, expected=["because", None], metadata={"n": 1, "s": "1"}, tags=["t"], origin=origin
    )
    second = dataset.insert("plain", id="mine")
    assert second == "mine"
    rows = list(dataset)
    assert {name: rows[0][name] for name in rows[0] if name not in ("created", "_xact_id")} == {
        "id": first,
        "input": {"q": "why?"},
        "expected": ["because", None],
        "metadata": {"n": 1, "s": "1"},
        "tags": ["t"],
        "origin": origin,
    }
    assert rows[1]["id"] == "mine"
    assert rows[1]["_xact_id"] == dataset.version
    assert dataset.get("mine") == rows[1]
    assert dataset.get("nobody") is None


def test_the_same_row_twice_is_one_and_a_script_may_run_again(open_dataset: Open) -> None:
    for _ in range(2):
        dataset = open_dataset("sdk-again")
        ids = [dataset.insert(f"q{number % 2}", expected=1) for number in range(4)]
        assert len(set(ids)) == 2
        dataset.flush()
    summary = dataset.summarize()
    assert (summary.total_records, summary.new_records, summary.project_name) == (2, 4, "sdk-again")
    assert str(summary) == "golden (sdk-again): 2 rows, 4 inserted here"
    assert len(dataset.versions()) == 1


def test_changes_happen_in_their_order(open_dataset: Open) -> None:
    dataset = open_dataset("sdk-order")
    dataset.insert("a", id="1", metadata={"keep": 1, "drop": 2})
    assert dataset.update("1", expected="x", metadata={"drop": None}) == "1"
    dataset.insert("b", id="2")
    assert dataset.delete("2") == "2"
    dataset.insert("c", id="3")
    assert values(dataset, "id", "input", "expected", "metadata") == [
        ("1", "a", "x", {"keep": 1}),
        ("3", "c", None, {}),
    ]


def test_what_is_inserted_is_the_value_at_that_moment(open_dataset: Open) -> None:
    dataset = open_dataset("sdk-moment")
    value = {"n": 1}
    dataset.insert(value)
    value["n"] = 2
    assert values(dataset, "input") == [({"n": 1},)]


def test_iterating_reads_pages_of_one_version(open_dataset: Open) -> None:
    dataset = open_dataset("sdk-pages")
    for number in range(7):
        dataset.insert(number, id=f"{number}")
    rows = dataset.fetch(batch_size=3)
    first = next(rows)
    dataset.insert("late", id="5-late")
    dataset.flush()
    assert sorted(row["id"] for row in [first, *rows]) == [f"{number}" for number in range(7)]


def test_a_pinned_dataset_shows_its_version_and_takes_no_rows(open_dataset: Open) -> None:
    dataset = open_dataset("sdk-pinned")
    dataset.insert("old", id="1")
    version = dataset.snapshot("release", description="the first")
    dataset.insert("new", id="1")
    for pinned in (open_dataset("sdk-pinned", version="release"), open_dataset("sdk-pinned", version=int(version))):
        assert values(pinned, "input") == [("old",)]
        assert pinned.version == version
        with pytest.raises(ValueError, match="which cannot change; open it without version="):
            pinned.insert("x")
    diff = dataset.diff("release")
    assert (diff.added, diff.removed, diff.changed) == (0, 0, 1)
    assert diff.rows[0]["fields"] == ["input"]
    dataset.restore("release")
    assert values(dataset, "input") == [("old",)]
    assert [(each.operation, each.snapshots) for each in dataset.versions()] == [
        ("restore", ()),
        ("insert", ()),
        ("insert", ("release",)),
    ]


def test_a_version_of_a_dataset_that_is_not_there_is_an_error_and_makes_none(open_dataset: Open) -> None:
    with pytest.raises(LookupError, match="project 'sdk-none' has no dataset 'golden'"):
        list(open_dataset("sdk-none", version="1"))
    with pytest.raises(ValueError, match="a dataset needs a name"):
        init_dataset("sdk-none")


def test_rows_that_the_schema_refuses_are_named_and_the_others_stored(open_dataset: Open) -> None:
    dataset = open_dataset("sdk-schema", input_schema={"type": "object"})
    dataset.insert({"fine": 1})
    dataset.insert("no object", id="bad")
    with pytest.raises(ApiError, match=r"row 'bad': rows\[1\]\.input: 'no object' is not of type 'object'"):
        dataset.flush()
    dataset.flush()
    assert values(dataset, "input") == [({"fine": 1},)]


def test_a_row_too_large_for_a_request_costs_no_other(open_dataset: Open) -> None:
    dataset = open_dataset("sdk-huge")
    dataset.insert("before", id="before")
    with pytest.raises(ApiError, match="row 'huge': the request is larger than"):
        dataset.insert("x" * (65 << 20), id="huge")
    dataset.insert("after", id="after")
    assert values(dataset, "input") == [("before",), ("after",)]


def test_a_value_that_json_does_not_have_is_refused_at_once(open_dataset: Open) -> None:
    dataset = open_dataset("sdk-nan")
    with pytest.raises(ValueError, match="not JSON compliant"):
        dataset.insert(float("nan"))
    assert list(dataset) == []


def test_an_attachment_goes_with_its_row(shared_collector: CollectorProcess, open_dataset: Open) -> None:
    dataset = open_dataset("sdk-files")
    row = {"photo": spanloop.Attachment(b"tiny", filename="cat.png")}
    with pytest.raises(ValueError, match=r"Attachment\('cat.png'\) not sent: spanloop.init\(\) was not called"):
        dataset.insert(row)
    endpoint, api_url = f"http://{shared_collector.grpc_address}", shared_collector.api_url
    spanloop.init("sdk-files", endpoint=endpoint, api_url=api_url)
    try:
        dataset.insert(row)
        dataset.flush()
        assert spanloop.flush()
        [stored] = dataset
        assert spanloop.ReadonlyAttachment(stored["input"]["photo"]).data == b"tiny"
    finally:
        spanloop.shutdown()


def test_threads_share_a_dataset(open_dataset: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "MAX_ROWS", 10)
    dataset = open_dataset("sdk-threads")
    threads = [threading.Thread(target=lambda n=n: [dataset.insert(f"{n}-{i}") for i in range(25)]) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({row["input"] for row in dataset}) == 100


def test_what_waits_is_sent_when_the_program_ends(shared_collector: CollectorProcess, open_dataset: Open) -> None:
    code = "import spanloop; spanloop.init_dataset('sdk-exit', 'golden').insert('from a script')"
    environment = {**os.environ, "SPANLOOP_API_URL": shared_collector.api_url}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    assert values(open_dataset("sdk-exit"), "input") == [("from a script",)]


def test_nobody_there_is_an_error_that_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spanloop._api.FIRST_CONTACT_SECONDS", 0)
    dataset = init_dataset("p", "golden", api_url="http://127.0.0.1:9")
    with pytest.raises(ApiError, match="start one with `spanloop serve`, or say where it is with SPANLOOP_API_URL"):
        list(dataset)


def log_rows(collector: CollectorProcess, project: str, count: int) -> None:
    """Stores rows named `chat` of two turns each."""
    rows = [
        {"id": f"{project}-{n}", "name": "chat", "input": {"turns": [f"a{n}", f"b{n}"]}, "output": f"answer {n}"}
        for n in range(count)
    ]
    ApiClient(collector.api_url).post("/v1/rows", {"project": project, "rows": rows})
    question = f"SELECT count() AS n FROM logs WHERE project = '{project}'"
    wait_until(lambda: collector.sql(question)[0]["n"] == count, what="the rows")


def test_promote_copies_rows_and_a_dry_run_shows_them(shared_collector: CollectorProcess, open_dataset: Open) -> None:
    log_rows(shared_collector, "sdk-promote", 3)
    options: dict[str, Any] = {"project": "sdk-promote", "api_url": shared_collector.api_url, "where": "name = 'chat'"}
    shown = promote("golden", dry_run=True, **options)
    assert (shown.matched, shown.inserted, len(shown.rows)) == (3, 3, 3)
    done = promote("golden", fields={"input": "JSONExtractRaw(input, 'turns')"}, **options)
    assert (done.matched, done.inserted, done.dataset) == (3, 3, "golden")
    dataset = open_dataset("sdk-promote")
    assert sorted(values(dataset, "input", "expected")) == [([f"a{n}", f"b{n}"], f"answer {n}") for n in range(3)]
    assert dataset.version == done.version
    with pytest.raises(ApiError, match="Unknown expression"):
        promote("golden", **{**options, "where": "nothing = 1"})
    with pytest.raises(ValueError, match="say which dataset the rows go to"):
        promote(**options)


def test_a_transform_makes_many_rows_of_one_and_goes_on_after_a_failure(
    shared_collector: CollectorProcess, open_dataset: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spanloop._datasets.promote.PAGE_ROWS", 2)
    log_rows(shared_collector, "sdk-job", 5)
    options: dict[str, Any] = {"project": "sdk-job", "api_url": shared_collector.api_url}
    seen: list[str] = []
    jobs: list[PromoteJob] = []

    def split(input: Any, output: Any, id: str) -> list[dict[str, Any]] | None:
        seen.append(output)
        if output == "answer 3" and len(seen) < 5:
            raise KeyError("broken")
        return None if output == "answer 0" else [{"input": turn, "expected": output} for turn in input["turns"]]

    with pytest.raises(TransformError, match="KeyError: 'broken'; fix it and go on with resume="):
        promote_job(split, "turns", where="name = 'chat'", on_progress=jobs.append, **options)
    assert (jobs[0].total, jobs[-1].done, jobs[-1].written) == (5, 2, 2)
    done = promote_job(split, "turns", resume=jobs[0].id, concurrency=2, **options)
    assert (done.state, done.done, done.written) == ("done", 5, 8)
    # Pages that were done are not done again.
    assert seen.count("answer 0") == seen.count("answer 1") == 1
    rows = list(open_dataset("sdk-job", "turns"))
    assert sorted(row["input"] for row in rows) == sorted(f"{turn}{n}" for turn in "ab" for n in range(1, 5))
    assert {row["origin"]["id"] for row in rows} == {f"sdk-job-{n}" for n in range(1, 5)}
    assert all(row["id"].endswith(("-0", "-1")) for row in rows)
    # The rows came from these: the same promotion again has nothing left but the one that made none.
    assert promote_job(split, "turns", where="name = 'chat'", **options).total == 1


def test_a_transform_takes_what_it_names() -> None:
    source: dict[str, Any] = {
        "row": {"id": "r", "input": 1, "expected": None, "tags": [], "origin": {"id": "o"}},
        **{name: name for name in ("output", "name", "type", "error", "trace_id", "span_id", "created")},
        "scores": {"s": 1},
        "metrics": {},
    }
    assert as_transform(lambda row: {"input": row["output"]})(source) == [
        {"id": "r", "origin": {"id": "o"}, "input": "output"}
    ]
    assert as_transform(lambda **row: {"input": sorted(row)[0], "id": "own"})(source)[0]["id"] == "own"
    assert as_transform(lambda metadata, scores: [{"input": scores}, {"input": metadata}])(source) == [
        {"id": "r-0", "origin": {"id": "o"}, "input": {"s": 1}},
        {"id": "r-1", "origin": {"id": "o"}, "input": {}},
    ]
    with pytest.raises(TransformError, match="it may take id, input, expected"):
        as_transform(lambda question: None)
    with pytest.raises(TransformError, match="gives None, a row or a list of rows, not str"):
        as_transform(lambda input: "text")(source)
    with pytest.raises(TransformError, match="this one has: input, output"):
        as_transform(lambda input: {"input": 1, "output": 2})(source)
