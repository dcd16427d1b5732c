"""Rows of every source become dataset rows: mapped, once, chosen the same way every time, from one project only."""

from __future__ import annotations

import json
from typing import Any

import pytest
from spanloop_collector.errors import InvalidRequestError, NotFoundError, PermissionDeniedError, QueryError
from spanloop_collector.keys.principal import Scope

from tests.collector.datasets.service import Service
from tests.collector.schema.spans import START

pytestmark = pytest.mark.also_on_cluster


def trace(number: int, **fields: Any) -> list[dict[str, Any]]:
    """A trace of two spans: `answer`, and below it `retrieve`."""
    trace_id = number.to_bytes(16, "big")
    root = {
        "id": f"row-{number}",
        "trace_id": trace_id,
        "span_id": number.to_bytes(8, "big"),
        "name": "answer",
        "input": {"q": number % 3},
        "output": {"answer": f"a{number}", "n": number},
        "metadata": {"user": f"u{number % 2}", "n": number},
        "tags": ["prod"],
        "start_time_unix_nano": START + number * 1_000_000_000,
        "end_time_unix_nano": START + (number + 1) * 1_000_000_000,
    } | fields
    child = {
        "trace_id": trace_id,
        "span_id": (number + 1000).to_bytes(8, "big"),
        "parent_span_id": number.to_bytes(8, "big"),
        "name": "retrieve",
        "input": f"query {number}",
        "output": [f"doc {number}"],
        "start_time_unix_nano": START + number * 1_000_000_000,
        "end_time_unix_nano": START + number * 1_000_000_000 + 1,
    }
    return [root, child]


def counts(answer: dict[str, Any]) -> tuple[int, int, int]:
    return answer["matched"], answer["inserted"], answer["updated"]


async def dataset_of(service: Service, name: str = "golden") -> str:
    [found] = (await service.call("ListDatasets", project="p", name=name))["datasets"]
    return str(found["id"])


async def test_a_log_row_becomes_a_dataset_row_that_knows_where_it_came_from(service: Service) -> None:
    service.spans(*trace(1), *trace(2, expected="corrected"))
    answer = await service.promote(where="name = 'answer'")
    assert counts(answer) == (2, 2, 0)
    assert answer["dataset"]["row_count"] == 2
    rows = await service.rows(await dataset_of(service), "input", "expected", "metadata", "tags", "origin")
    rows.sort(key=lambda row: row[2]["n"])  # whichever shard or thread was first
    origin = {
        "object_type": "project_logs",
        "object_id": "p",
        "id": "row-1",
        "trace_id": f"{1:032x}",
        "span_id": f"{1:016x}",
        "created": "2023-11-14 22:13:21.000000000",
    }
    assert rows[0] == ({"q": 1}, {"answer": "a1", "n": 1}, {"user": "u1", "n": 1}, ["prod"], origin)
    assert rows[1][1] == "corrected"


async def test_promoting_again_copies_nothing_twice_and_deleted_rows_stay_deleted(service: Service) -> None:
    service.spans(*trace(1), *trace(2))
    await service.promote(where="name = 'answer'")
    dataset = await dataset_of(service)
    ids = {row["q"]: id for id, row in await service.rows(dataset, "id", "input")}
    await service.call("DeleteDatasetRows", dataset_id=dataset, ids=[ids[1]])
    service.spans(*trace(3))
    answer = await service.promote(where="name = 'answer'")
    assert counts(answer) == (3, 1, 0)
    assert {row["q"] for (row,) in await service.rows(dataset, "input")} == {2, 0}
    assert (await service.promote(where="name = 'answer'"))["version"] == ""
    versions = (await service.call("ListDatasetVersions", dataset_id=dataset))["versions"]
    assert [(each["operation"], each["inserted"]) for each in versions] == [
        ("promote", 1),
        ("delete", 0),
        ("promote", 2),
    ]


async def test_fields_are_sql_expressions(service: Service) -> None:
    service.spans(*trace(1))
    fields = {
        "id": "concat('case-', id)",
        "input": "map('question', toString(JSONExtractInt(input, 'q')), 'user', metadata['user']) -- a comment",
        "expected": "JSONExtractString(output, 'answer')",
        "metadata.docs": "outputs['retrieve']",
        "metadata.asked": "inputs['retrieve']",
        "metadata.length": "length(output)",
        "metadata.n": "'now a text'",
        "tags": "arrayConcat(tags, ['golden'])",
    }
    await service.promote(where="name = 'answer'", fields=fields)
    [row] = await service.rows(await dataset_of(service), "id", "input", "expected", "metadata", "tags")
    assert row == (
        "case-row-1",
        {"question": "1", "user": "u1"},
        "a1",
        {"user": "u1", "n": "now a text", "docs": ["doc 1"], "asked": "query 1", "length": 24},
        ["prod", "golden"],
    )


# What an expression gives for the output {"answer": "42", "n": null}: JSON where it is JSON, else a value.
EXPRESSIONS: dict[str, object] = {
    "output": {"answer": "42", "n": None},
    "JSONExtractRaw(output, 'answer')": "42",
    "JSONExtractString(output, 'answer')": "42",
    "toInt64OrNull(JSONExtractString(output, 'answer'))": 42,
    "if(error = '', JSONExtractRaw(output, 'n'), 'x')": None,
    "nullIf(error, '')": None,
    "outputs['answer']": {"answer": "42", "n": None},
    "[1, 2]": [1, 2],
    "error": "",
}


async def test_an_expression_gives_json_or_a_value_that_becomes_json(service: Service) -> None:
    service.spans(*trace(1, output={"answer": "42", "n": None}))
    given: dict[str, object] = {}
    for expression in EXPRESSIONS:
        answer = await service.promote(where="name = 'answer'", fields={"expected": expression}, dry_run=True)
        [row] = answer["rows"]
        given[expression] = row.get("expected")
    assert given == EXPRESSIONS


async def test_metadata_may_be_any_map_or_json_object(service: Service) -> None:
    service.spans(*trace(1))
    await service.promote("a", where="name = 'answer'", fields={"metadata": "map('k', name)"})
    await service.promote("b", where="name = 'answer'", fields={"metadata": "output"})
    await service.promote("c", where="name = 'answer'", fields={"metadata": "mapFilter((k, v) -> k = 'n', metadata)"})
    found = [await service.rows(await dataset_of(service, name), "metadata") for name in "abc"]
    assert found == [[({"k": "answer"},)], [({"answer": "a1", "n": 1},)], [({"n": 1},)]]


async def test_whole_traces_bring_what_their_spans_said(service: Service) -> None:
    service.spans(*trace(1, expected="right"), *trace(2))
    answer = await service.promote(
        source="traces",
        where="spans = 2 AND outputs['retrieve'] LIKE '%doc 1%'",
        fields={"metadata.docs": "outputs['retrieve']"},
    )
    assert counts(answer) == (1, 1, 0)
    [row] = await service.rows(await dataset_of(service), "input", "expected", "metadata", "origin")
    assert row[:3] == ({"q": 1}, "right", {"user": "u1", "n": 1, "docs": ["doc 1"]})
    assert row[3]["id"] == "row-1"
    # The same row of production, whichever view it was found in.
    again = await service.promote(source="logs", where="id = 'row-1'")
    assert counts(again) == (1, 0, 0)


async def test_a_row_of_many_megabytes_is_copied_whole(service: Service) -> None:
    document = "page " * 2_000_000
    service.spans(*trace(1, input=document), *trace(2, output={"answer": document}))
    assert counts(await service.promote(where="name = 'answer'")) == (2, 2, 0)
    rows = await service.rows(await dataset_of(service), "input", "expected")
    assert sorted(rows, key=lambda row: str(row[0])[:20]) == [
        (document, {"answer": "a1", "n": 1}),
        ({"q": 2}, {"answer": document}),
    ]


async def test_the_same_input_is_copied_once(service: Service) -> None:
    for number in range(6):
        service.spans(*trace(number + 1))
    assert counts(await service.promote(where="name = 'answer'", deduplicate="input")) == (6, 3, 0)
    assert counts(await service.promote(where="name = 'answer'", deduplicate="input")) == (6, 0, 0)


async def test_sampling_chooses_the_same_rows_every_time(service: Service) -> None:
    service.spans(*(span for number in range(1, 41) for span in trace(number)))
    where = "name = 'answer'"
    assert counts(await service.promote(where=where, limit=5)) == (5, 5, 0)
    assert counts(await service.promote(where=where, limit=5)) == (5, 0, 0)
    assert (await service.promote(where=where, limit=5, seed="other"))["inserted"] > 0
    await service.promote("even", where=where, group_by="metadata['user']", per_group=3)
    users = [row["user"] for (row,) in await service.rows(await dataset_of(service, "even"), "metadata")]
    assert sorted(users) == ["u0"] * 3 + ["u1"] * 3
    part = await service.promote("part", where=where, sample_rate=0.5)
    assert 10 < part["inserted"] < 30
    assert counts(await service.promote("none", where=where, sample_rate=0)) == (0, 0, 0)


async def test_an_update_brings_corrections_and_keeps_the_row(service: Service) -> None:
    service.spans(*trace(1), *trace(2))
    await service.promote(where="name = 'answer'")
    dataset = await dataset_of(service)
    before = await service.rows(dataset, "id", "created")
    service.spans(trace(1, expected="reviewed")[0])
    assert counts(await service.promote(where="name = 'answer'")) == (2, 0, 0)
    assert counts(await service.promote(where="name = 'answer'", update=True)) == (2, 0, 1)
    assert counts(await service.promote(where="name = 'answer'", update=True)) == (2, 0, 0)
    assert await service.rows(dataset, "id", "created") == before
    expected = {row["q"]: text for row, text in await service.rows(dataset, "input", "expected")}
    assert expected == {1: "reviewed", 2: {"answer": "a2", "n": 2}}


async def test_a_dry_run_shows_rows_and_writes_none(service: Service) -> None:
    service.spans(*trace(1), *trace(2))
    answer = await service.promote(where="name = 'answer'", dry_run=True)
    assert counts(answer) == (2, 2, 0)
    assert sorted(row["input"]["q"] for row in answer["rows"]) == [1, 2]
    assert "dataset" not in answer
    assert (await service.call("ListDatasets", project="p"))["datasets"] == []


async def test_rows_that_the_schema_refuses_are_told(service: Service) -> None:
    service.spans(*trace(1), *trace(2, expected="a text"))
    await service.create(expected_schema={"type": "object"})
    answer = await service.promote(where="name = 'answer'")
    assert (*counts(answer), answer["rejected"]) == (2, 1, 0, 1)
    assert "is not of type 'object'" in answer["errors"][0]
    assert counts(await service.promote(where="name = 'answer'")) == (2, 0, 0)


async def test_lineage_leads_from_production_to_evals_and_back(service: Service) -> None:
    service.spans(*trace(1))
    await service.promote(where="name = 'answer'")
    dataset = await dataset_of(service)
    [(row, version)] = await service.rows(dataset, "id", "version")
    origin = {"object_type": "dataset", "object_id": dataset, "id": row, "_xact_id": version}
    service.spans(*({**each, "experiment_id": "exp"} for each in trace(7, id="case", origin=json.dumps(origin))[:1]))
    cases = await service.promote("hard", source="eval_rows", root_only=True, where="experiment_id = 'exp'")
    assert counts(cases) == (1, 1, 0)
    hard = await dataset_of(service, "hard")
    [(copy,)] = await service.rows(hard, "id")

    uses = (await service.call("GetLineage", project="p", id="row-1"))["uses"]
    assert [(step["from_id"], step["to_type"], step["to_object_id"], step["to_id"]) for step in uses] == [
        ("row-1", "dataset", dataset, row),
        (row, "experiment", "exp", "case"),
        ("case", "dataset", hard, copy),
    ]
    # An experiment that nobody registered has no name.
    assert [step["to_name"] for step in uses] == ["golden", "", "hard"]
    back = await service.call("GetLineage", project="p", id=copy)
    assert [step["from_id"] for step in back["sources"]] == ["case", row, "row-1"]
    assert back["uses"] == []


async def test_dataset_rows_are_promoted_into_another_dataset(service: Service) -> None:
    dataset = await service.create()
    await service.write(dataset, {"id": "a", "input": 1}, {"id": "b", "input": 2, "expected": 3})
    answer = await service.promote("small", source="dataset_rows", where="dataset = 'golden' AND expected != ''")
    assert counts(answer) == (1, 1, 0)
    [(expected, origin)] = await service.rows(await dataset_of(service, "small"), "expected", "origin")
    assert expected == 3
    assert (origin["object_type"], origin["object_id"], origin["id"]) == ("dataset", dataset, "b")


REFUSED: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"source": "users"}, InvalidRequestError, "source: expected one of logs, traces, eval_rows, dataset_rows"),
    ({"fields": {"output": "1"}}, InvalidRequestError, "fields: expected id, input, expected, metadata, tags or"),
    ({"fields": {"input": " "}}, InvalidRequestError, "fields.input: expected a SQL expression"),
    ({"dataset": ""}, InvalidRequestError, "dataset: say which dataset"),
    ({"sample_rate": 2}, InvalidRequestError, "sample_rate: expected a number from 0 to 1, got 2"),
    ({"group_by": "name"}, InvalidRequestError, "group_by and per_group belong together"),
    ({"deduplicate": "id"}, InvalidRequestError, "deduplicate: expected one of origin, input, none"),
    ({"where": "name = (SELECT name FROM system.users)"}, QueryError, "table system.users is not allowed"),
    ({"where": "1 IN (SELECT 1 FROM dataset_registry)"}, QueryError, "table dataset_registry is not allowed"),
    ({"fields": {"input": "file('/etc/passwd')"}}, QueryError, "function file is not allowed"),
    (
        {"where": "1 SETTINGS max_threads = 1"},
        InvalidRequestError,
        "where: Syntax error: failed at position 3 ",
    ),
    ({"fields": {"expected": "output +"}}, InvalidRequestError, "fields.expected: Syntax error"),
    ({"where": "1) UNION ALL (SELECT 1"}, InvalidRequestError, "where: Syntax error"),
    ({"where": "nothing = 1"}, QueryError, "Unknown expression"),
    ({"group_by": "sleep(3)", "per_group": 1}, QueryError, "function sleep is not allowed"),
]


async def test_what_cannot_be_promoted_is_refused_and_makes_no_dataset(service: Service) -> None:
    for fields, error, message in REFUSED:
        with pytest.raises(error) as refused:
            await service.promote(**fields)
        assert message in str(refused.value)
        assert "source_id" not in str(refused.value)
    assert (await service.call("ListDatasets", project="p"))["datasets"] == []


async def test_a_key_copies_rows_of_its_project_only(service: Service) -> None:
    service.spans(*trace(1))
    service.spans(*trace(2, input="secret"), project="other")
    mine = service.of_project("p")
    assert counts(await mine.promote(where="project = 'other' OR name = 'answer'")) == (1, 1, 0)
    sneaky = await mine.promote("s", where="id = 'row-1'", fields={"expected": "(SELECT max(input) FROM logs)"})
    assert sneaky["inserted"] == 1
    assert "secret" not in str(await mine.rows(await dataset_of(service, "s"), "expected"))
    with pytest.raises(PermissionDeniedError, match="belongs to project 'p'"):
        await mine.promote(project="other")
    with pytest.raises(PermissionDeniedError, match="lacks the scope 'read'"):
        await service.of_project("p", Scope.INGEST).promote()


async def test_a_job_goes_on_where_it_stopped(service: Service) -> None:
    for number in range(5):
        service.spans(*trace(number + 1))
    job = (await service.call("CreatePromoteJob", project="p", dataset="turns", where="name = 'answer'"))["job"]
    assert (job["state"], job["total"], job["done"]) == ("waiting", 5, 0)
    page = await service.call("FetchPromoteJobRows", job_id=job["id"], limit=3)
    assert [(each["row"]["input"], each["output"]["answer"]) for each in page["rows"]] == [
        ({"q": 1}, "a1"),
        ({"q": 2}, "a2"),
        ({"q": 0}, "a3"),
    ]
    made = [
        {"id": f"{each['row']['id']}-{turn}", "input": turn, "origin": each["row"]["origin"]}
        for each in page["rows"]
        for turn in range(2)
    ]
    first = await service.call("WritePromoteJobRows", job_id=job["id"], done=page["done"], rows=made)
    assert (first["job"]["done"], first["job"]["written"]) == (3, 6)
    # An answer that got lost: the same page again.
    again = await service.call("WritePromoteJobRows", job_id=job["id"], done=page["done"], rows=made)
    assert (again["job"]["done"], again["job"]["written"]) == (3, 6)
    rest = await service.call("FetchPromoteJobRows", job_id=job["id"], limit=3)
    last = await service.call("WritePromoteJobRows", job_id=job["id"], done=rest["done"], rows=[])
    assert (last["job"]["state"], last["job"]["done"], last["job"]["written"]) == ("done", 5, 6)
    assert len(await service.rows(await dataset_of(service, "turns"), "id")) == 6
    with pytest.raises(NotFoundError, match="there is no promotion job"):
        await service.of_project("other").call("GetPromoteJob", job_id=job["id"])
    await service.call("DeletePromoteJob", job_id=job["id"])
    assert (await service.call("ListPromoteJobs", project="p"))["jobs"] == []
