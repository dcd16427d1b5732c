"""Experiments are compared case by case, in numbers and in words."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest
from spanloop_collector.errors import InvalidRequestError, QueryError

from tests.collector.experiments.cases import case, model_call, store_cases
from tests.collector.experiments.conftest import Experiments
from tests.collector.schema.spans import END, START

one_kind = pytest.mark.parametrize("migrated_store", ["embedded"], indirect=True)
"""For what the two kinds of ClickHouse cannot do differently."""


def measure(answer: dict[str, Any], name: str) -> dict[str, Any]:
    """The measure of that name."""
    return next(each for each in [*answer["scores"], *answer["metrics"]] if each["name"] == name)


async def two(experiments: Experiments) -> tuple[str, str]:
    """Ids of a base and of a newer experiment."""
    base, newer = await experiments.create("base"), await experiments.create("newer")
    return base["id"], newer["id"]


@one_kind
async def test_one_experiment_alone_has_means(experiments: Experiments) -> None:
    made = await experiments.create("alone")
    scorer_failed = {"scorer_errors": {"picky": "ValueError"}}
    store_cases(
        experiments.store,
        case(made["id"], "a", {"exact": 1}),
        case(made["id"], "b", {"exact": 0.5}, metadata=scorer_failed),
    )
    answer = await experiments.compare("alone")
    assert answer["experiments"][0] | {"experiment": None} == {
        "experiment": None,
        "cases": 2,
        "trials": 2,
        "errors": 1,
    }
    (exact,) = answer["scores"]
    assert exact["sides"][0]["mean"] == 0.75
    assert exact["differences"] == []
    assert answer["text"].splitlines()[0] == "alone: 2 cases, 1 failed"


async def test_real_regression_is_told_from_chance(experiments: Experiments) -> None:
    base, newer = await two(experiments)
    store_cases(
        experiments.store,
        (case(base, n, {"exact": 1, "brief": (n % 7) / 7, "same": 0.5}) for n in range(40)),
        (case(newer, n, {"exact": float(n % 4 > 0), "brief": ((n * 3 + 1) % 7) / 7, "same": 0.5}) for n in range(40)),
    )
    answer = await experiments.compare("newer")
    assert (answer["base_id"], answer["base_reason"], answer["case_count"]) == (base, "most recent", 40)
    (exact,) = measure(answer, "exact")["differences"]
    assert (exact["pairs"], exact["improvements"], exact["regressions"]) == (40, 0, 10)
    assert exact["difference"] == pytest.approx(-0.25)
    assert exact["verdict"] == "worse"
    assert exact["low"] < -0.25 < exact["high"] < 0
    assert exact["p_value"] <= exact["p_adjusted"] < 0.05
    (brief,) = measure(answer, "brief")["differences"]
    assert brief["verdict"] == "unclear"
    assert "could be chance" in brief["words"]
    assert f"with 40 cases a difference under {brief['detectable'] * 100:.1f}% hardly shows" in brief["words"]
    assert measure(answer, "same")["differences"][0]["words"] == "the same in all 40 cases"
    assert "worse, and hardly by chance" in answer["text"]


@one_kind
async def test_trials_of_a_case_are_averaged_before_they_are_compared(experiments: Experiments) -> None:
    base, newer = await two(experiments)
    store_cases(
        experiments.store,
        (case(base, n, {"exact": 1}) for n in range(3)),
        (case(newer, n, {"exact": trial}) for n in range(3) for trial in (0, 1, 1, 1)),
        case(newer, "only here", {"exact": 0}),
    )
    answer = await experiments.compare("newer")
    compared = answer["experiments"][0]
    assert (compared["cases"], compared["trials"]) == (4, 13)
    exact = measure(answer, "exact")
    assert exact["sides"][0]["mean"] == pytest.approx((3 * 0.75 + 0) / 4)
    (difference,) = exact["differences"]
    assert (difference["pairs"], difference["difference"], difference["verdict"]) == (3, -0.25, "too few")


@one_kind
async def test_key_may_be_any_expression(experiments: Experiments) -> None:
    base, newer = await two(experiments)
    store_cases(experiments.store, case(base, {"q": 1, "run": "x"}, {"exact": 0}))
    store_cases(experiments.store, case(newer, {"q": 1, "run": "y"}, {"exact": 1}))
    assert measure(await experiments.compare("newer"), "exact")["differences"][0]["pairs"] == 0
    answer = await experiments.compare("newer", key="JSONExtractInt(input, 'q')")
    assert measure(answer, "exact")["differences"][0]["difference"] == 1.0


async def test_model_calls_count_but_not_those_of_scorers(experiments: Experiments) -> None:
    base, newer = await two(experiments)
    one, other = case(base, "a"), case(newer, "a")
    judge = {"spanloop.purpose": "scorer"}
    store_cases(
        experiments.store,
        [one, model_call(one, base, tokens=10), other, model_call(other, newer, tokens=30)],
        model_call(other, newer, tokens=500, **judge),
    )
    answer = await experiments.compare("newer")
    tokens = measure(answer, "total_tokens")
    assert [side["mean"] for side in tokens["sides"]] == [31, 11]
    (difference,) = tokens["differences"]
    assert (difference["improvements"], difference["regressions"]) == (0, 1)
    assert tokens["is_lower_better"]
    assert measure(answer, "llm_calls")["sides"][0]["mean"] == 1
    assert measure(answer, "llm_duration")["unit"] == "s"


@one_kind
async def test_duration_is_the_tasks_where_it_is_known(experiments: Experiments) -> None:
    made = await experiments.create("run")
    store_cases(experiments.store, case(made["id"], "a", metrics={"task_duration": 0.25, "words": 7}))
    answer = await experiments.compare("run")
    assert measure(answer, "duration")["sides"][0]["mean"] == 0.25
    assert measure(answer, "words")["sides"][0]["mean"] == 7
    store_cases(experiments.store, case(made["id"], "b", start_time_unix_nano=START, end_time_unix_nano=END))
    answer = await experiments.compare("run")
    assert measure(answer, "duration")["sides"][0]["mean"] == pytest.approx((0.25 + 1.5) / 2)


@one_kind
async def test_scores_are_made_of_others(experiments: Experiments) -> None:
    made = await experiments.create("run")
    store_cases(experiments.store, case(made["id"], "a", {"x": 1, "y": 0.5}), case(made["id"], "b", {"x": 0}))
    answer = await experiments.compare(
        "run",
        aggregates=[
            {"name": "weighted", "weights": {"x": 3, "y": 1}},
            {"name": "lowest", "minimum": ["x", "y"]},
            {"name": "highest", "maximum": ["x", "y"]},
            {"name": "formula", "formula": "1 - scores['x']"},
        ],
    )
    means = {each["name"]: each["sides"][0]["mean"] for each in answer["scores"]}
    assert means == {
        "x": 0.5,
        "y": 0.5,
        "weighted": pytest.approx((3.5 / 4 + 0) / 2),
        "lowest": 0.25,
        "highest": 0.5,
        "formula": 0.5,
    }
    with pytest.raises(InvalidRequestError, match=r"aggregates\[0\].weights: there is no score 'z'; scores are: x, y"):
        await experiments.compare("run", aggregates=[{"name": "n", "weights": {"z": 1}}])


async def test_cases_come_with_the_most_regressed_first(experiments: Experiments) -> None:
    base, newer = await two(experiments)
    store_cases(
        experiments.store,
        case(base, "better", {"x": 0, "y": 0}),
        case(base, "worse", {"x": 1, "y": 1}),
        case(base, "both", {"x": 1, "y": 0}),
        case(newer, "better", {"x": 1, "y": 1}, output={"text": "fine"}),
        case(
            newer, "worse", {"x": 0, "y": 0}, error="ValueError: no", origin={"id": "row-1", "object_type": "dataset"}
        ),
        case(newer, "both", {"x": 0, "y": 1}, metadata={"n": 3, "name": "3"}),
    )
    answer = await experiments.compare("newer", limit=10, columns={"length": "length(input)"})
    assert [(each["input"], each["regressions"], each["improvements"]) for each in answer["cases"]] == [
        ("worse", 2, 0),
        ("both", 1, 1),
        ("better", 0, 2),
    ]
    worst = answer["cases"][0]
    (row,) = worst["sides"][0]["rows"]
    assert (row["error"], row["origin"]["id"], row["columns"]) == ("ValueError: no", "row-1", {"length": 7})
    assert worst["sides"][0]["scores"] == {"x": 0.0, "y": 0.0}
    assert worst["sides"][1]["scores"] == {"x": 1.0, "y": 1.0}
    assert worst["expected"] == "right"
    assert answer["cases"][1]["metadata"] == {"n": 3, "name": "3"}
    assert answer["experiments"][0]["errors"] == 1
    first = await experiments.compare("newer", limit=1, order_by="improvements")
    assert first["cases"][0]["input"] == "better"
    in_x = await experiments.compare("newer", limit=10, order_by="regressions:x")
    assert [(each["input"], each["regressions"]) for each in in_x["cases"]] == [
        ("both", 1),
        ("worse", 2),
        ("better", 0),
    ]
    with pytest.raises(InvalidRequestError, match="order_by: there is no score 'z'; scores are: x, y"):
        await experiments.compare("newer", limit=1, order_by="regressions:z")
    second = await experiments.compare("newer", limit=1, offset=1, order_by="input")
    assert second["cases"][0]["input"] == "both"


async def test_filters_and_groups(experiments: Experiments) -> None:
    base, newer = await two(experiments)
    for experiment, value in ((base, 1.0), (newer, 0.0)):
        store_cases(
            experiments.store,
            case(experiment, "a", {"x": value}, metadata={"area": "billing"}),
            case(experiment, "b", {"x": 1}, metadata={"area": "search"}),
        )
    answer = await experiments.compare("newer", group_by="metadata.area")
    assert [(each["value"], each["scores"][0]["differences"][0]["difference"]) for each in answer["groups"]] == [
        ("billing", -1.0),
        ("search", 0.0),
    ]
    only = await experiments.compare("newer", where="metadata['area'] = 'search'")
    assert only["case_count"] == 1
    with pytest.raises(QueryError, match=r"api_keys|ACCESS_DENIED|UNKNOWN"):
        await experiments.compare("newer", where="input IN (SELECT secret_sha256 FROM api_keys)")
    with pytest.raises(InvalidRequestError, match="order_by: Syntax error"):
        await experiments.compare("newer", order_by="nonsense(")
    with pytest.raises(InvalidRequestError, match=r"aggregates\[0\]\.formula: Syntax error"):
        await experiments.compare("newer", aggregates=[{"name": "both", "formula": "scores['x'] +"}])
    faults: dict[str, dict[str, Any]] = {
        "where": {"where": "nonsense = 1"},
        "group_by": {"group_by": "lower(nonsense)"},
        "columns.words": {"columns": {"first": "input", "words": "nonsense"}, "limit": 5},
        "aggregates[0].formula": {"aggregates": [{"name": "both", "formula": "nonsense / 2"}]},
    }
    for field, wrong in faults.items():
        with pytest.raises(QueryError) as refused:
            await experiments.compare("newer", **wrong)
        assert str(refused.value).startswith(f"{field}: Unknown expression")
        assert "nonsense" in str(refused.value)
        assert "SELECT" not in str(refused.value)


@one_kind
async def test_where_no_case_is_in_both_that_is_said_once(experiments: Experiments) -> None:
    for name, score in (("old", "of the old"), ("new", "of the new")):
        made = await experiments.create(name)
        store_cases(experiments.store, case(made["id"], name, {score: 1}))
    text = (await experiments.compare("new"))["text"]
    assert text.splitlines()[:5] == [
        "new: 1 case",
        "compared with old (most recent): 1 case",
        "no case is in both",
        "",
        "  of the new      100.0%",
    ]
    assert "of the old" not in text


async def test_later_scores_stand_in_front_of_the_runs_own(experiments: Experiments) -> None:
    made = await experiments.create("run")
    row = case(made["id"], "a", {"x": 1})
    store_cases(experiments.store, row, case(made["id"], "b", {"x": 1}))
    await experiments.finish("run")
    id = row.span_id.hex()
    assert (
        await experiments.add_scores("run", {"id": id, "name": "x", "score": 0}, {"id": id, "name": "y", "score": 1})
        == 2
    )
    assert await experiments.add_scores("run", {"id": id, "name": "y", "score": 0.5}) == 1
    answer = await experiments.compare("run")
    assert {each["name"]: each["sides"][0]["mean"] for each in answer["scores"]} == {"x": 0.5, "y": 0.5}
    database = experiments.store.database
    assert sorted(experiments.store.column(f"SELECT scores['x'] FROM {database}.eval_rows")) == [1, 1]
    with pytest.raises(InvalidRequestError, match=r"scores\[0\].id: experiment 'run' has no row 'nope'"):
        await experiments.add_scores("run", {"id": "nope", "name": "y", "score": 1})
    with pytest.raises(InvalidRequestError, match=r"scores\[0\].score: expected a number from 0 to 1"):
        await experiments.add_scores("run", {"id": id, "name": "y", "score": 2})


@one_kind
async def test_three_experiments_against_the_last_named(experiments: Experiments) -> None:
    names = ["one", "two", "three"]
    for value, name in enumerate(names):
        made = await experiments.create(name)
        store_cases(experiments.store, (case(made["id"], n, {"x": value / 2}) for n in range(6)))
    answer = await experiments.compare(*names)
    assert answer["base_reason"] == "last named"
    differences = measure(answer, "x")["differences"]
    assert [each["difference"] for each in differences] == [-1.0, -0.5]
    assert differences[0]["p_adjusted"] == pytest.approx(2 * differences[0]["p_value"])


async def test_other_projects_rows_take_no_part(experiments: Experiments) -> None:
    made = await experiments.create("run")
    store_cases(experiments.store, case(made["id"], "a", {"x": 1}))
    store_cases(experiments.store, case(made["id"], "b", {"x": 0}), project="stranger")
    answer = await experiments.compare("run")
    assert (answer["case_count"], measure(answer, "x")["sides"][0]["mean"]) == (1, 1.0)
    assert await experiments.sql("SELECT input FROM eval_rows WHERE experiment = 'run' AND project = 'p'") == [
        {"input": '"a"'}
    ]
    of_project = await experiments.of_project("p").compare("run")
    assert of_project["case_count"] == 1


async def test_cases_are_exported(experiments: Experiments) -> None:
    made = await experiments.create("run")
    store_cases(experiments.store, case(made["id"], "a", {"x": 1}), case(made["id"], "b", {"x": 0}))
    lines = [json.loads(line) for line in (await experiments.export("run", "jsonl")).splitlines()]
    assert sorted((line["input"], line["scores"]["x"]) for line in lines) == [("a", 1), ("b", 0)]
    rows = list(csv.DictReader(io.StringIO((await experiments.export("run", "csv")).decode())))
    assert sorted((row["input"], row["scores"]) for row in rows) == [('"a"', '{"x":1}'), ('"b"', '{"x":0}')]
    table = pa.parquet.read_table(io.BytesIO(await experiments.export("run", "parquet")))
    assert table.num_rows == 2
    assert json.loads(await experiments.export("run", "json")) == lines
    with pytest.raises(InvalidRequestError, match="format: 'xml' is not one of csv, json, jsonl, parquet"):
        await experiments.export("run", "xml")
