"""Rows of datasets: written once, whatever is sent twice; checked; read in pages."""

from __future__ import annotations

from typing import Any

import pytest
from spanloop._datasets.batch import content_id as sdk_content_id
from spanloop_collector.datasets import reader
from spanloop_collector.datasets.row import content_id
from spanloop_collector.errors import InvalidRequestError, NotFoundError

from tests.collector.datasets.service import Service

WHOLE: dict[str, Any] = {
    "id": "case-1",
    "input": {"question": "how många 😀?", "n": 9223372036854775807, "none": None},
    "expected": ["a", 1.5, True, ""],
    "metadata": {"user": "u1", "deep": {"a": [1]}, "n": 3, "text": "3", "none": None},
    "tags": ["x", "y, z"],
    "origin": {"object_type": "project_logs", "object_id": "p", "id": "s1"},
}


async def test_a_whole_row_comes_back_as_it_was(service: Service) -> None:
    dataset = await service.create()
    answer = await service.write(dataset, WHOLE)
    assert (answer["inserted"], answer["results"]) == (1, [{"id": "case-1", "error": ""}])
    page = await service.call("FetchDatasetRows", dataset_id=dataset)
    [row] = page["rows"]
    assert {name: row[name] for name in WHOLE} == WHOLE
    assert row["version"] == page["version"] == answer["version"]


async def test_the_same_rows_again_make_no_version(service: Service) -> None:
    dataset = await service.create()
    first = await service.write(dataset, WHOLE, {"input": "q"}, {"input": "q"})
    assert (first["inserted"], first["unchanged"]) == (2, 0)
    again = await service.write(dataset, WHOLE, {"input": "q"})
    assert (again["version"], again["inserted"], again["updated"], again["unchanged"]) == ("", 0, 0, 2)
    assert len((await service.call("ListDatasetVersions", dataset_id=dataset))["versions"]) == 1


async def test_a_row_of_an_id_that_exists_replaces_it_and_keeps_where_it_came_from(service: Service) -> None:
    dataset = await service.create()
    await service.write(dataset, WHOLE)
    [(created,)] = await service.rows(dataset, "created")
    answer = await service.write(dataset, {"id": "case-1", "input": "new"})
    assert (answer["inserted"], answer["updated"]) == (0, 1)
    assert await service.rows(dataset, "input", "expected", "metadata", "tags", "origin", "created") == [
        ("new", None, None, [], WHOLE["origin"], created)
    ]


async def test_an_update_merges(service: Service) -> None:
    dataset = await service.create()
    await service.write(dataset, WHOLE)
    change = {"id": "case-1", "expected": None, "metadata": {"deep": {"b": 2}, "n": None}}
    answer = await service.write(dataset, change, {"input": "no id"}, is_merge=True)
    assert (answer["updated"], answer["rejected"]) == (1, 1)
    assert answer["results"][1]["error"] == "rows[1].id: an update needs the id of its row"
    [(metadata, expected)] = await service.rows(dataset, "metadata", "expected")
    assert metadata == {"user": "u1", "deep": {"a": [1], "b": 2}, "text": "3", "none": None}
    assert expected is None


async def test_a_deleted_row_is_gone_until_it_is_written_again(service: Service) -> None:
    dataset = await service.create()
    await service.write(dataset, {"id": "a", "input": 1}, {"id": "b", "input": 2})
    gone = await service.call("DeleteDatasetRows", dataset_id=dataset, ids=["a", "nobody"])
    assert gone["deleted"] == 1
    assert await service.rows(dataset, "id") == [("b",)]
    assert (await service.call("DeleteDatasetRows", dataset_id=dataset, ids=["a"]))["version"] == ""
    assert (await service.write(dataset, {"id": "a", "input": 1}))["inserted"] == 1
    assert await service.rows(dataset, "id", "input") == [("b", 2), ("a", 1)]


async def test_a_bad_row_never_costs_its_neighbours(service: Service) -> None:
    dataset = await service.create(
        input_schema={"type": "object", "properties": {"age": {"minimum": 0}}},
        expected_schema={"type": "string", "maxLength": 5},
    )
    answer = await service.write(
        dataset,
        {"input": {"age": 1}},
        {"input": {"age": -1}},
        {"input": {}, "expected": 5},
        {"input": {}, "metadata": "no object"},
        {"id": "x" * 600, "input": {}},
        {"id": "c", "input": {}, "expected": "fine"},
        {"input": {}, "expected": "not fine"},
    )
    assert [result["error"] for result in answer["results"]] == [
        "",
        "rows[1].input.age: -1 is less than the minimum of 0",
        "rows[2].expected: 5 is not of type 'string'",
        "rows[3].metadata: expected an object, got 'no object'",
        "rows[4].id: is longer than 512 characters",
        "",
        "rows[6].expected: 'not fine' is too long (maxLength: 5)",
    ]
    assert (answer["inserted"], answer["rejected"]) == (2, 5)


async def test_a_request_of_bad_rows_only_fails_with_the_first_fault(service: Service) -> None:
    dataset = await service.create(input_schema={"type": "object"})
    with pytest.raises(InvalidRequestError, match=r"rows\[0\]\.input: 1 is not of type 'object'"):
        await service.write(dataset, {"input": 1}, {"input": 2})


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ("text", 'input_schema: expected a JSON Schema, which is an object, got "text"'),
        ({"type": "nothing"}, "input_schema: is not a JSON Schema: "),
    ],
)
async def test_what_is_no_schema_is_refused(service: Service, schema: object, message: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        await service.create(input_schema=schema)
    assert str(refused.value).startswith(message)


async def test_a_schema_cannot_make_the_collector_fetch_addresses(service: Service) -> None:
    dataset = await service.create(input_schema={"$ref": "http://127.0.0.1:9/schema.json"})
    with pytest.raises(InvalidRequestError, match=r"refers to 'http://127\.0\.0\.1:9/schema\.json', which is not part"):
        await service.write(dataset, {"input": 1})


async def test_pages_end_at_their_size_and_show_one_version(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "PAGE_BYTES", 1_000)
    dataset = await service.create()
    await service.write(
        dataset, *({"id": f"{n:02}", "input": "x" * 300} for n in range(10)), {"id": "99", "input": "y" * 5_000}
    )
    first = await service.call("FetchDatasetRows", dataset_id=dataset)
    assert [row["id"] for row in first["rows"]] == ["00", "01", "02"]
    # What is written meanwhile does not show in the pages to come.
    await service.write(dataset, {"id": "50", "input": "late"})
    ids = [row["id"] for row in first["rows"]]
    page = first
    while page["next_cursor"]:
        page = await service.call(
            "FetchDatasetRows", dataset_id=dataset, version=first["version"], cursor=page["next_cursor"]
        )
        ids += [row["id"] for row in page["rows"]]
    assert ids == [*(f"{n:02}" for n in range(10)), "99"]
    assert len(page["rows"]) == 1


async def test_one_row_is_read_by_its_id(service: Service) -> None:
    dataset = await service.create()
    await service.write(dataset, {"id": "a", "input": 1}, {"id": "b", "input": 2})
    page = await service.call("FetchDatasetRows", dataset_id=dataset, id="b")
    assert [row["input"] for row in page["rows"]] == [2]


async def test_rows_of_another_project_are_not_there(service: Service) -> None:
    dataset = await service.create()
    await service.write(dataset, {"input": 1})
    stranger = service.of_project("other")
    for method in ("FetchDatasetRows", "GetDataset", "DeleteDataset", "ListDatasetVersions"):
        with pytest.raises(NotFoundError, match="there is no dataset"):
            await stranger.call(method, dataset_id=dataset)
    assert (await stranger.call("ListDatasets"))["datasets"] == []
    assert await service.of_project("p").rows(dataset, "input") == [(1,)]


@pytest.mark.parametrize(
    ("input", "expected"), [("q", None), ({"b": 1, "a": [1.5, None]}, "å"), (None, {"x": True}), ("", [])]
)
def test_both_sides_make_the_same_id_of_the_same_content(input: object, expected: object) -> None:
    assert sdk_content_id(input, expected) == content_id({"input": input, "expected": expected})
